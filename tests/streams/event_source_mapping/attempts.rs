//! What becomes of a batch, attempt after attempt.
//!
//! Sources: <https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html>,
//! <https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html>

use std::ops::Range;
use std::thread;
use std::time::Duration;

use pipeline_tests::function::Answer;
use serde_json::Value;

use super::settings::MappingSettings;

/// Before a batch is sent again; doubled each time up to a limit.
const FIRST_WAIT: Duration = Duration::from_millis(10);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// A record of a batch.
pub trait Sent {
    /// Its sequence number.
    fn sequence_number(&self) -> &str;
    /// The time since it arrived.
    fn age(&self) -> Duration;
}

/// What an invocation came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All records are done.
    Done,
    /// Those before this position are done, and no other.
    DoneUntil(usize),
    /// The function failed.
    Failed,
}

/// Why a batch is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// It was sent as often as it may be.
    RetriesExhausted,
    /// Its records are too old.
    TooOld,
}

impl Condition {
    /// The name in the record at the destination.
    pub fn name(self) -> &'static str {
        match self {
            Condition::RetriesExhausted => "RetryAttemptsExhausted",
            Condition::TooOld => "RecordAgeExceeded",
        }
    }
}

impl Outcome {
    /// Reads the function's answer; none where its process ended.
    ///
    /// The lowest sequence number reported is where the next attempt begins. A report that names no record of
    /// the batch, or does not have the form of one, is a failure of all.
    pub fn of(answer: Option<&Answer>, records: &[impl Sent], reports: bool) -> Outcome {
        let Some(Answer::Response(response)) = answer else {
            return Outcome::Failed;
        };
        let failures = match &response["batchItemFailures"] {
            _ if !reports => return Outcome::Done,
            Value::Null => return Outcome::Done,
            Value::Array(failures) => failures,
            _ => return Outcome::Failed,
        };
        let mut first = None;
        for failure in failures {
            let position = failure["itemIdentifier"].as_str().and_then(|number| {
                records
                    .iter()
                    .position(|record| record.sequence_number() == number)
            });
            match position {
                Some(position) => first = Some(first.map_or(position, |first: usize| first.min(position))),
                None => return Outcome::Failed,
            }
        }
        first.map_or(Outcome::Done, Outcome::DoneUntil)
    }
}

/// Sends a batch until each of its records is done or given up, the earlier ones always before the later.
///
/// A batch that fails is split in halves where the settings say so, which is not a retry; else it is sent again,
/// which is one. A batch that got on begins anew with what is left of it.
pub fn see_through<R: Sent>(
    batch: &[R],
    settings: &MappingSettings,
    mut invoke: impl FnMut(&[R]) -> Outcome,
    mut give_up: impl FnMut(&[R], Condition, u64),
) {
    let mut parts: Vec<(Range<usize>, u64)> = vec![(0..batch.len(), 0)];
    while let Some((range, retries)) = parts.pop() {
        let part = &batch[range.clone()];
        let is_old = |record: &&R| settings.record_age.is_some_and(|limit| record.age() > limit);
        let old = part.iter().take_while(is_old).count();
        if old > 0 {
            give_up(&part[..old], Condition::TooOld, retries);
        }
        let (range, part) = (range.start + old..range.end, &part[old..]);
        if part.is_empty() {
            continue;
        }
        match invoke(part) {
            Outcome::Done => {}
            Outcome::DoneUntil(position) if position > 0 => {
                parts.push((range.start + position..range.end, 0));
            }
            Outcome::Failed if settings.bisects && part.len() > 1 => {
                let middle = range.start + part.len() / 2;
                parts.push((middle..range.end, retries));
                parts.push((range.start..middle, retries));
            }
            Outcome::Failed | Outcome::DoneUntil(_) => {
                if settings.retries.is_some_and(|limit| retries >= limit) {
                    give_up(part, Condition::RetriesExhausted, retries + 1);
                } else {
                    let doubled = 1 << retries.min(10);
                    thread::sleep(FIRST_WAIT.saturating_mul(doubled).min(LONGEST_WAIT));
                    parts.push((range, retries + 1));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The record at a position.
    struct Numbered(usize, Duration);

    impl Sent for Numbered {
        fn sequence_number(&self) -> &str {
            ["100", "101", "102", "103", "104", "105", "106", "107"][self.0]
        }

        fn age(&self) -> Duration {
            self.1
        }
    }

    /// A batch of eight, the first ones of which are old.
    fn batch(old: usize) -> Vec<Numbered> {
        let age = |position| Duration::from_secs(if position < old { 61 } else { 1 });
        (0..8).map(|position| Numbered(position, age(position))).collect()
    }

    fn settings(bisects: bool) -> MappingSettings {
        let resource = json!({"Properties": {
            "EventSourceArn": "arn:aws:kinesis:eu-west-1:123456789012:stream/lines",
            "FunctionName": "f",
            "StartingPosition": "TRIM_HORIZON",
            "BisectBatchOnFunctionError": bisects,
            "MaximumRetryAttempts": 1,
            "MaximumRecordAgeInSeconds": 60,
        }});
        MappingSettings::read(&resource)
    }

    type Sendings = Vec<Vec<usize>>;
    type Losses = Vec<(Vec<usize>, Condition, u64)>;

    /// What is sent and what is given up, where this answers each sending.
    fn run(
        batch: &[Numbered],
        bisects: bool,
        mut answer: impl FnMut(&[usize]) -> Outcome,
    ) -> (Sendings, Losses) {
        let positions = |records: &[Numbered]| records.iter().map(|record| record.0).collect::<Vec<_>>();
        let (mut sendings, mut losses) = (Vec::new(), Vec::new());
        see_through(
            batch,
            &settings(bisects),
            |records| {
                sendings.push(positions(records));
                answer(&positions(records))
            },
            |records, condition, invocations| losses.push((positions(records), condition, invocations)),
        );
        (sendings, losses)
    }

    #[test]
    fn a_batch_goes_on_where_the_function_says() {
        let mut answers = [Outcome::DoneUntil(5), Outcome::DoneUntil(1), Outcome::Done].into_iter();
        let (sendings, losses) = run(&batch(0), true, |_| answers.next().unwrap());
        assert_eq!(
            sendings,
            [vec![0, 1, 2, 3, 4, 5, 6, 7], vec![5, 6, 7], vec![6, 7]]
        );
        assert_eq!(losses, []);
    }

    #[test]
    fn a_record_that_always_fails_is_isolated_by_halves_and_given_up_alone() {
        let fails = |records: &[usize]| {
            let holds_it = records.contains(&5);
            if holds_it { Outcome::Failed } else { Outcome::Done }
        };
        let (sendings, losses) = run(&batch(0), true, fails);
        let expected = [
            vec![0, 1, 2, 3, 4, 5, 6, 7],
            vec![0, 1, 2, 3],
            vec![4, 5, 6, 7],
            vec![4, 5],
            vec![4],
            vec![5],
            vec![5],
            vec![6, 7],
        ];
        assert_eq!(sendings, expected);
        assert_eq!(losses, [(vec![5], Condition::RetriesExhausted, 2)]);
    }

    #[test]
    fn a_batch_that_is_not_split_is_given_up_whole() {
        let (sendings, losses) = run(&batch(0), false, |_| Outcome::Failed);
        let all: Vec<usize> = (0..8).collect();
        assert_eq!(sendings, [all.clone(), all.clone()]);
        assert_eq!(losses, [(all, Condition::RetriesExhausted, 2)]);
    }

    #[test]
    fn a_batch_that_does_not_get_on_is_sent_as_often_as_it_may_be() {
        let (sendings, losses) = run(&batch(0), true, |_| Outcome::DoneUntil(0));
        assert_eq!(sendings.len(), 2);
        assert_eq!(losses, [((0..8).collect(), Condition::RetriesExhausted, 2)]);
    }

    #[test]
    fn records_that_are_too_old_are_given_up_unsent() {
        let (sendings, losses) = run(&batch(3), true, |_| Outcome::Done);
        assert_eq!(sendings, [vec![3, 4, 5, 6, 7]]);
        assert_eq!(losses, [(vec![0, 1, 2], Condition::TooOld, 0)]);
    }

    #[test]
    fn an_answer_means_what_lambda_documents() {
        let outcome = |response, reports| Outcome::of(Some(&Answer::Response(response)), &batch(0), reports);
        let report = |items: &[Value]| {
            let items = items.iter().map(|item| json!({"itemIdentifier": item}));
            outcome(json!({"batchItemFailures": items.collect::<Vec<_>>()}), true)
        };
        assert_eq!(
            report(&[json!("106"), json!("102"), json!("105")]),
            Outcome::DoneUntil(2)
        );
        for done in [
            json!(null),
            json!({}),
            json!({"batchItemFailures": null}),
            json!({"batchItemFailures": []}),
        ] {
            assert_eq!(outcome(done, true), Outcome::Done);
        }
        for unknown in [json!(""), json!(null), json!("999"), json!(106)] {
            assert_eq!(report(&[json!("106"), unknown]), Outcome::Failed);
        }
        assert_eq!(
            outcome(json!({"batchItemFailures": [{"item": "106"}]}), true),
            Outcome::Failed
        );
        assert_eq!(
            outcome(json!({"batchItemFailures": "106"}), true),
            Outcome::Failed
        );
        // Without `ReportBatchItemFailures` nobody looks.
        assert_eq!(
            outcome(json!({"batchItemFailures": [{"itemIdentifier": "106"}]}), false),
            Outcome::Done
        );
        assert_eq!(
            Outcome::of(Some(&Answer::Error(json!({}))), &batch(0), true),
            Outcome::Failed
        );
        assert_eq!(Outcome::of(None, &batch(0), true), Outcome::Failed);
    }
}
