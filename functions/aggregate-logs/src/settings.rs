//! The settings, read once from the environment.

use std::ops::RangeInclusive;
use std::time::Duration;

use log_batch::{BatchSettings, DEFAULT_BLOB_BYTES};
use pixel_log::{FieldSet, RowConfig, RowReader};

use crate::settings_error::SettingsError;

/// One setting, for documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The environment variable.
    pub name: &'static str,
    /// What holds when the variable is absent or empty; none where nothing does.
    pub default: Option<&'static str>,
    /// What it says, and whether it must be there.
    pub doc: &'static str,
}

/// Every setting. Documents are compared with this table.
pub const SETTINGS: [Setting; 9] = [
    Setting {
        name: DELIVERY,
        default: Some("Kpl"),
        doc: "How rows reach Firehose: `Kpl` (blobs to a Kinesis stream) or `DirectPut` (JSON to Firehose)",
    },
    Setting {
        name: EVENT_STREAM_NAME,
        default: None,
        doc: "Name of the Kinesis stream for blobs of rows; required with `Kpl`, refused with `DirectPut`",
    },
    Setting {
        name: EVENT_FIREHOSE_NAME,
        default: None,
        doc: "Name of the Firehose stream for rows; required with `DirectPut`, refused with `Kpl`",
    },
    Setting {
        name: FAILED_EVENTS_FIREHOSE_NAME,
        default: None,
        doc: "Name of the Firehose stream for failed events; required",
    },
    Setting {
        name: LOG_FIELDS,
        default: Some("all"),
        doc: "The fields of the real-time log configuration, comma-separated in any order, or `all`; `read` for those that rows are made of",
    },
    Setting {
        name: PIXEL_PATHS,
        default: Some("/p.gif"),
        doc: "The paths that are pixels, comma-separated; other requests become rows with the event `request`",
    },
    Setting {
        name: BLOB_BYTES,
        default: Some("5120"),
        doc: "The cap of a blob of rows in bytes, 1024 to 1000000",
    },
    Setting {
        name: VISITOR_KEY_SECRET,
        default: None,
        doc: "ARN of the secret in Secrets Manager whose text is the key under which visitors are counted, 64 \
              hexadecimal digits; without it they are not counted",
    },
    Setting {
        name: DEADLINE_MARGIN_MS,
        default: Some("2000"),
        doc: "How long before the function's timeout the answer must stand, in ms, 500 to 60000",
    },
];

const DELIVERY: &str = "DELIVERY";
const EVENT_STREAM_NAME: &str = "EVENT_STREAM_NAME";
const EVENT_FIREHOSE_NAME: &str = "EVENT_FIREHOSE_NAME";
const FAILED_EVENTS_FIREHOSE_NAME: &str = "FAILED_EVENTS_FIREHOSE_NAME";
pub(crate) const LOG_FIELDS: &str = "LOG_FIELDS";
const PIXEL_PATHS: &str = "PIXEL_PATHS";
const BLOB_BYTES: &str = "BLOB_BYTES";
pub(crate) const VISITOR_KEY_SECRET: &str = "VISITOR_KEY_SECRET";
const DEADLINE_MARGIN_MS: &str = "DEADLINE_MARGIN_MS";

/// A smaller blob holds hardly a row; a larger one is more than the 1,000 KiB of a Firehose record.
/// Source: <https://docs.aws.amazon.com/firehose/latest/dev/limits.html>
const BLOB_BYTES_RANGE: RangeInclusive<u64> = 1_024..=1_000_000;
/// Less is not enough for the answer; more than a minute is most of any sensible timeout.
const DEADLINE_MARGIN_RANGE: RangeInclusive<u64> = 500..=60_000;
/// Source: <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_CreateStream.html>
const MAX_STREAM_NAME: usize = 128;
/// Source: <https://docs.aws.amazon.com/firehose/latest/APIReference/API_CreateDeliveryStream.html>
const MAX_FIREHOSE_NAME: usize = 64;
/// Source: <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html>
const MAX_SECRET_ARN: usize = 2_048;

const A_STREAM_NAME: &str = "a Kinesis stream's name: 1 to 128 letters, digits, `_`, `.` or `-`, no ARN";
const A_FIREHOSE_NAME: &str = "a Firehose stream's name: 1 to 64 letters, digits, `_`, `.` or `-`, no ARN";

/// The settings of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where rows go.
    pub delivery: EventDelivery,
    /// Name of the Firehose stream for failed events.
    pub failed_events_firehose: String,
    /// How a batch is packed and delivered.
    pub batch: BatchSettings,
    /// ARN of the secret that is the key under which visitors are counted.
    pub visitor_key_secret: Option<String>,
}

/// Where rows go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventDelivery {
    /// To a Kinesis stream that Firehose reads.
    Kpl {
        /// The Kinesis stream's name.
        event_stream: String,
    },
    /// Straight to Firehose.
    DirectPut {
        /// The Firehose stream's name.
        event_firehose: String,
    },
}

impl Settings {
    /// From the environment of the process.
    pub fn from_env() -> Result<Settings, SettingsError> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the settings are the only reader of the environment"
        )]
        Settings::from_lookup(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    /// From anything that knows values by name. An empty value is none.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Settings, SettingsError> {
        let value = |name| lookup(name).filter(|value| !value.is_empty());
        let fields = match value(LOG_FIELDS) {
            Some(list) => FieldSet::parse(&list).map_err(SettingsError::LogFields)?,
            None => FieldSet::all(),
        };
        let pixel_paths = match value(PIXEL_PATHS) {
            Some(list) => pixel_paths(&list)?,
            None => RowConfig::default().pixel_paths,
        };
        let blob_bytes = number(
            BLOB_BYTES,
            value(BLOB_BYTES),
            DEFAULT_BLOB_BYTES as u64,
            BLOB_BYTES_RANGE,
            "a whole number of bytes from 1024, below which hardly a row fits, to 1000000, above which \
             Firehose takes no record",
        )?;
        let margin = number(
            DEADLINE_MARGIN_MS,
            value(DEADLINE_MARGIN_MS),
            2_000,
            DEADLINE_MARGIN_RANGE,
            "a whole number of milliseconds from 500, below which the answer may come too late, to 60000",
        )?;
        let delivery = delivery(value)?;
        let failed_events = value(FAILED_EVENTS_FIREHOSE_NAME);
        Ok(Settings {
            batch: BatchSettings {
                rows: RowReader::new(RowConfig { fields, pixel_paths }),
                blob_bytes: usize::try_from(blob_bytes).unwrap_or(DEFAULT_BLOB_BYTES),
                margin: Duration::from_millis(margin),
                ..BatchSettings::default()
            },
            delivery,
            failed_events_firehose: firehose_name(FAILED_EVENTS_FIREHOSE_NAME, failed_events)?,
            visitor_key_secret: value(VISITOR_KEY_SECRET).map(secret_arn).transpose()?,
        })
    }
}

impl EventDelivery {
    /// The value of the setting.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            EventDelivery::Kpl { .. } => "Kpl",
            EventDelivery::DirectPut { .. } => "DirectPut",
        }
    }
}

fn delivery(value: impl Fn(&'static str) -> Option<String>) -> Result<EventDelivery, SettingsError> {
    let (stream, firehose) = (value(EVENT_STREAM_NAME), value(EVENT_FIREHOSE_NAME));
    match value(DELIVERY).as_deref() {
        None | Some("Kpl") if firehose.is_some() => Err(SettingsError::Contradiction {
            name: EVENT_FIREHOSE_NAME,
            with: "DELIVERY Kpl, which puts to EVENT_STREAM_NAME",
        }),
        None | Some("Kpl") => Ok(EventDelivery::Kpl {
            event_stream: name(EVENT_STREAM_NAME, stream, MAX_STREAM_NAME, A_STREAM_NAME)?,
        }),
        Some("DirectPut") if stream.is_some() => Err(SettingsError::Contradiction {
            name: EVENT_STREAM_NAME,
            with: "DELIVERY DirectPut, which puts to EVENT_FIREHOSE_NAME",
        }),
        Some("DirectPut") => Ok(EventDelivery::DirectPut {
            event_firehose: firehose_name(EVENT_FIREHOSE_NAME, firehose)?,
        }),
        Some(_) => Err(SettingsError::Wrong {
            name: DELIVERY,
            expected: "`Kpl` or `DirectPut`, spelled so",
        }),
    }
}

fn firehose_name(variable: &'static str, value: Option<String>) -> Result<String, SettingsError> {
    name(variable, value, MAX_FIREHOSE_NAME, A_FIREHOSE_NAME)
}

fn name(
    variable: &'static str,
    value: Option<String>,
    max: usize,
    expected: &'static str,
) -> Result<String, SettingsError> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    match value {
        None => Err(SettingsError::Missing {
            name: variable,
            expected,
        }),
        Some(value) if value.len() <= max && value.bytes().all(is_plain) => Ok(value),
        Some(_) => Err(SettingsError::Wrong {
            name: variable,
            expected,
        }),
    }
}

/// Source: <https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_iam-permissions.html>
fn secret_arn(arn: String) -> Result<String, SettingsError> {
    let is_plain = |text: &str, marks: &str| {
        let mut chars = text.chars();
        !text.is_empty() && chars.all(|c| c.is_ascii_alphanumeric() || marks.contains(c))
    };
    let is_secret = match arn.split(':').collect::<Vec<_>>().as_slice() {
        &[
            "arn",
            partition,
            "secretsmanager",
            region,
            account,
            "secret",
            name,
        ] => {
            is_plain(partition, "-")
                && is_plain(region, "-")
                && account.len() == 12
                && account.bytes().all(|byte| byte.is_ascii_digit())
                && is_plain(name, "/_+=.@-")
        }
        _ => false,
    };
    if is_secret && arn.len() <= MAX_SECRET_ARN {
        return Ok(arn);
    }
    Err(SettingsError::Wrong {
        name: VISITOR_KEY_SECRET,
        expected: "a secret's ARN: `arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:NAME`",
    })
}

fn pixel_paths(list: &str) -> Result<Vec<String>, SettingsError> {
    list.split(',')
        .map(str::trim)
        .map(|path| {
            if path.starts_with('/') && !path.contains('?') {
                return Ok(path.to_owned());
            }
            Err(SettingsError::Wrong {
                name: PIXEL_PATHS,
                expected: "paths like `/p.gif,/o.gif`: comma-separated, each begins with `/`, none has a `?`",
            })
        })
        .collect()
}

fn number(
    name: &'static str,
    value: Option<String>,
    default: u64,
    range: RangeInclusive<u64>,
    expected: &'static str,
) -> Result<u64, SettingsError> {
    let Some(value) = value else { return Ok(default) };
    // `parse` alone would take a plus sign.
    Some(value)
        .filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|value| value.parse().ok())
        .filter(|number| range.contains(number))
        .ok_or(SettingsError::Wrong { name, expected })
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    use super::*;

    const KPL: [(&str, &str); 2] = [
        (EVENT_STREAM_NAME, "events"),
        (FAILED_EVENTS_FIREHOSE_NAME, "failed-events"),
    ];

    const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:VisitorKey-a1B2c3";

    fn read(values: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        // The last one counts, so that a case can replace what `KPL` says.
        Settings::from_lookup(|name| {
            let found = values.iter().rev().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    fn with(name: &'static str, value: &'static str) -> Result<Settings, SettingsError> {
        read(&[KPL[0], KPL[1], (name, value)])
    }

    fn refusal(settings: Result<Settings, SettingsError>) -> SettingsError {
        settings.expect_err("these settings are wrong")
    }

    #[test]
    fn two_names_are_enough_and_the_rest_is_the_default() {
        let settings = read(&KPL).unwrap_or_else(|error| panic!("{error}"));
        let event_stream = "events".to_owned();
        assert_eq!(settings.delivery, EventDelivery::Kpl { event_stream });
        assert_eq!(settings.failed_events_firehose, "failed-events");
        assert_eq!(settings.batch, BatchSettings::default());
        assert_eq!(settings.visitor_key_secret, None);
    }

    #[test]
    fn the_defaults_of_the_table_are_those_that_hold_and_an_empty_value_is_none() {
        for setting in SETTINGS {
            let default = setting.default.unwrap_or_default();
            if setting.default.is_some() {
                let settings = with(setting.name, default).unwrap_or_else(|error| panic!("{error}"));
                assert_eq!(settings.batch, BatchSettings::default(), "{}", setting.name);
                assert!(with(setting.name, "").is_ok(), "{}", setting.name);
            }
        }
        assert!(with(VISITOR_KEY_SECRET, "").is_ok());
    }

    #[test]
    fn the_table_names_every_variable_that_is_read_and_no_other() {
        let asked = RefCell::new(BTreeSet::new());
        let ask = |name: &str| {
            asked.borrow_mut().insert(name.to_owned());
            KPL.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        };
        assert!(Settings::from_lookup(ask).is_ok());
        let table: BTreeSet<String> = SETTINGS.iter().map(|setting| setting.name.to_owned()).collect();
        assert_eq!(asked.into_inner(), table);
    }

    #[test]
    fn every_setting_reaches_its_place() {
        let settings = read(&[
            (DELIVERY, "DirectPut"),
            (EVENT_FIREHOSE_NAME, "rows"),
            (FAILED_EVENTS_FIREHOSE_NAME, "failed"),
            (LOG_FIELDS, "cs-uri-stem,timestamp"),
            (PIXEL_PATHS, "/p.gif, /o.gif"),
            (BLOB_BYTES, "1024"),
            (VISITOR_KEY_SECRET, SECRET),
            (DEADLINE_MARGIN_MS, "60000"),
        ]);
        let settings = settings.unwrap_or_else(|error| panic!("{error}"));
        let event_firehose = "rows".to_owned();
        assert_eq!(settings.delivery, EventDelivery::DirectPut { event_firehose });
        assert_eq!(settings.failed_events_firehose, "failed");
        assert_eq!(settings.delivery.name(), "DirectPut");
        assert_eq!(settings.batch.rows.config().fields.len(), 2);
        assert_eq!(settings.batch.rows.config().pixel_paths, ["/p.gif", "/o.gif"]);
        assert_eq!(settings.batch.blob_bytes, 1024);
        assert_eq!(settings.batch.margin, Duration::from_mins(1));
        assert_eq!(settings.visitor_key_secret.as_deref(), Some(SECRET));
    }

    #[test]
    fn a_secret_may_lie_in_any_partition_and_folder() {
        for arn in [
            "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:VisitorKey-a1B2c3",
            "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:VisitorKey-a1B2c3",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/pixlake/visitor_key+=.@-a1B2c3",
        ] {
            let settings = read(&[KPL[0], KPL[1], (VISITOR_KEY_SECRET, arn)]);
            let secret = settings
                .unwrap_or_else(|error| panic!("{error}"))
                .visitor_key_secret;
            assert_eq!(secret.as_deref(), Some(arn));
        }
    }

    #[test]
    fn a_wrong_value_is_refused_by_name_and_never_repeated() {
        let key = "a".repeat(64);
        let (long, long_arn) = ("n".repeat(129), format!("{SECRET}{}", "n".repeat(2_048)));
        for (name, value) in [
            (DELIVERY, "kpl"),
            (DELIVERY, "KPL"),
            (DELIVERY, "Kpl "),
            (EVENT_STREAM_NAME, "arn:aws:kinesis:eu-west-1:1:stream/events"),
            (EVENT_STREAM_NAME, &long),
            (FAILED_EVENTS_FIREHOSE_NAME, "with space"),
            (LOG_FIELDS, "timestamp,nobody"),
            (LOG_FIELDS, "c-ip"),
            (PIXEL_PATHS, "pixel.gif"),
            (PIXEL_PATHS, "/pixel.gif,"),
            (PIXEL_PATHS, "/pixel.gif?x"),
            (BLOB_BYTES, "1023"),
            (BLOB_BYTES, "1000001"),
            (BLOB_BYTES, "+5120"),
            (BLOB_BYTES, "5k"),
            (BLOB_BYTES, "99999999999999999999"),
            // The key itself, and a name: the key would stand in the function's configuration, and a name
            // does not say whose secret it is.
            (VISITOR_KEY_SECRET, &key),
            (VISITOR_KEY_SECRET, "VisitorKey"),
            (
                VISITOR_KEY_SECRET,
                "arn:aws:ssm:eu-west-1:123456789012:parameter/key",
            ),
            (
                VISITOR_KEY_SECRET,
                "arn:aws:ssm:eu-west-1:123456789012:secret:VisitorKey-a1B2c3",
            ),
            (
                VISITOR_KEY_SECRET,
                "urn:aws:secretsmanager:eu-west-1:123456789012:secret:VisitorKey-a1B2c3",
            ),
            (
                VISITOR_KEY_SECRET,
                "arn::secretsmanager:eu-west-1:123456789012:secret:VisitorKey-a1B2c3",
            ),
            (
                VISITOR_KEY_SECRET,
                "arn:aws:secretsmanager::123456789012:secret:VisitorKey-a1B2c3",
            ),
            (
                VISITOR_KEY_SECRET,
                "arn:aws:secretsmanager:eu-west-1:12345678901:secret:VisitorKey-a1B2c3",
            ),
            (
                VISITOR_KEY_SECRET,
                "arn:aws:secretsmanager:eu-west-1:12345678901x:secret:VisitorKey-a1B2c3",
            ),
            (
                VISITOR_KEY_SECRET,
                "arn:aws:secretsmanager:eu-west-1:123456789012:policy:VisitorKey-a1B2c3",
            ),
            (
                VISITOR_KEY_SECRET,
                "arn:aws:secretsmanager:eu-west-1:123456789012:secret:",
            ),
            (VISITOR_KEY_SECRET, &format!("{SECRET}:key::")),
            (VISITOR_KEY_SECRET, &format!("{SECRET}\n")),
            (VISITOR_KEY_SECRET, &format!(" {SECRET}")),
            (VISITOR_KEY_SECRET, &format!("{SECRET}ä")),
            (VISITOR_KEY_SECRET, &long_arn),
            (DEADLINE_MARGIN_MS, "499"),
            (DEADLINE_MARGIN_MS, "60001"),
            (DEADLINE_MARGIN_MS, "-1"),
        ] {
            let error = refusal(read(&[KPL[0], KPL[1], (name, value)])).to_string();
            assert!(error.starts_with(&format!("{name} is wrong; ")), "{error}");
            let repeats = error.contains(value) && value.len() > 4;
            assert!(!repeats, "{error}");
        }
    }

    #[test]
    fn what_is_missing_and_what_is_too_much_are_named() {
        let missing = |settings| match refusal(settings) {
            SettingsError::Missing { name, .. } => name,
            other => panic!("{other}"),
        };
        let too_much = |settings| match refusal(settings) {
            SettingsError::Contradiction { name, .. } => name,
            other => panic!("{other}"),
        };
        assert_eq!(missing(with(EVENT_STREAM_NAME, "")), EVENT_STREAM_NAME);
        assert_eq!(
            missing(with(FAILED_EVENTS_FIREHOSE_NAME, "")),
            FAILED_EVENTS_FIREHOSE_NAME
        );
        assert_eq!(
            missing(read(&[(DELIVERY, "DirectPut"), KPL[1]])),
            EVENT_FIREHOSE_NAME
        );
        assert_eq!(too_much(with(EVENT_FIREHOSE_NAME, "rows")), EVENT_FIREHOSE_NAME);
        assert_eq!(too_much(with(DELIVERY, "DirectPut")), EVENT_STREAM_NAME);
    }
}
