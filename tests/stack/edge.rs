//! The edge: what the log is made of, and what serves the pixel.

use pixel_log::FieldSet;
use serde_json::json;

use super::world::{Violations, World, items, text, texts};

const LOG: &str = "Edge/RealtimeLog";
const DISTRIBUTION: &str = "Edge/Distribution";
/// Security policies that admit TLS 1.2 with today's ciphers, or more.
/// Source: "Supported protocols and ciphers between viewers and `CloudFront`" in its developer guide.
const TLS: [&str; 3] = ["TLSv1.2_2021", "TLSv1.2_2025", "TLSv1.3_2025"];

/// The log, the function and the parser know the same fields.
pub(crate) fn log_fields(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        let fields = texts(&deployed.properties(LOG)["Fields"]);
        violations.unless(
            fields
                .iter()
                .all(|field| field.trim() == field && !field.is_empty()),
            "a field of the log has spaces around its name",
        );
        let environment = &deployed.properties("Functions/AggregateLogs")["Environment"]["Variables"];
        let of_log = FieldSet::parse(&fields.join(","));
        let of_function = FieldSet::parse(&text(&environment["LOG_FIELDS"]));
        violations.unless(of_log.is_ok(), format!("fields of the log: {of_log:?}"));
        violations.same(
            "LOG_FIELDS of the function, against the log,",
            &of_function,
            &of_log,
        );
        // A set that names no fields gets those that rows are made of.
        if deployed.parameter("LogFields").len() > 100 {
            violations.same("the log by default", &of_log, &Ok(FieldSet::read()));
        }
    })
}

/// Every request is a line, and the lines go into the log stream.
pub(crate) fn real_time_log(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        let log = deployed.properties(LOG);
        violations.equal("SamplingRate", &log["SamplingRate"], 100);
        violations.equal(
            "EndPoints",
            &log["EndPoints"],
            json!([{
                "StreamType": "Kinesis",
                "KinesisStreamConfig": {
                    "RoleArn": deployed.arn("Edge/RealtimeLogRole"),
                    "StreamArn": deployed.arn("Streams/LogStream"),
                },
            }]),
        );
        let distribution = &deployed.properties(DISTRIBUTION)["DistributionConfig"];
        if deployed.parameter("ExistingDistributionId").is_empty() {
            let behaviours = items(&distribution["CacheBehaviors"]).iter();
            for behaviour in behaviours.chain([&distribution["DefaultCacheBehavior"]]) {
                let arn = &behaviour["RealtimeLogConfigArn"];
                violations.equal("a behaviour's RealtimeLogConfigArn", arn, deployed.arn(LOG));
            }
        }
    })
}

/// Who may talk to the edge, and how.
pub(crate) fn distribution(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        let existing = deployed.parameter("ExistingDistributionId");
        violations.same(
            "existence of a distribution",
            &deployed.stack.find(DISTRIBUTION).is_some(),
            &existing.is_empty(),
        );
        if !existing.is_empty() {
            return;
        }
        let config = &deployed.properties(DISTRIBUTION)["DistributionConfig"];
        violations.equal("Enabled", &config["Enabled"], true);
        violations.equal("HttpVersion", &config["HttpVersion"], "http2and3");
        let default = &config["DefaultCacheBehavior"];
        violations.equal(
            "AllowedMethods",
            &default["AllowedMethods"],
            json!(["GET", "HEAD"]),
        );
        let over_tls = ["redirect-to-https", "https-only"];
        violations.unless(
            over_tls.contains(&text(&default["ViewerProtocolPolicy"]).as_str()),
            "viewers may come without TLS",
        );
        violations.equal(
            "CachePolicyId",
            &default["CachePolicyId"],
            deployed.name("Edge/PixelCachePolicy"),
        );
        let headers = &default["ResponseHeadersPolicyId"];
        violations.equal(
            "ResponseHeadersPolicyId",
            headers,
            deployed.name("Edge/PixelHeaders"),
        );
        violations.equal(
            "PriceClass",
            &config["PriceClass"],
            deployed.parameter("PriceClass"),
        );
        violations.same(
            "WebACLId",
            &text(&config["WebACLId"]).as_str(),
            &deployed.parameter("WebAclArn"),
        );
        certificate(deployed.parameter("DomainName"), config, violations);
        let bucket = deployed.stack.attribute("Edge/PixelBucket", "RegionalDomainName");
        for origin in items(&config["Origins"]) {
            violations.equal("the origin's DomainName", &origin["DomainName"], bucket.as_str());
            let access = &origin["OriginAccessControlId"];
            violations.equal("OriginAccessControlId", access, deployed.name("Edge/PixelAccess"));
        }
        violations.same("the number of origins", &items(&config["Origins"]).len(), &1);
        // An edge that asks too early keeps the answer that there is no pixel.
        violations.unless(
            deployed.stack.depends_on(DISTRIBUTION, "Edge/Pixel"),
            "the distribution does not wait for the pixel",
        );
    })
}

fn certificate(domain: &str, config: &serde_json::Value, violations: &mut Violations) {
    let certificate = &config["ViewerCertificate"];
    if domain.is_empty() {
        violations.equal(
            "ViewerCertificate",
            certificate,
            json!({"CloudFrontDefaultCertificate": true}),
        );
        violations.unless(
            config.get("Aliases").is_none(),
            "there is an alias without a certificate",
        );
        return;
    }
    violations.equal("Aliases", &config["Aliases"], json!([domain]));
    violations.equal(
        "AcmCertificateArn",
        &certificate["AcmCertificateArn"],
        super::world::CERTIFICATE,
    );
    violations.equal("SslSupportMethod", &certificate["SslSupportMethod"], "sni-only");
    let version = text(&certificate["MinimumProtocolVersion"]);
    violations.unless(
        TLS.contains(&version.as_str()),
        format!("MinimumProtocolVersion is {version}; expected one of {TLS:?}"),
    );
}

/// The edge keeps the pixel, the browser does not, and no query or cookie makes another object of it.
pub(crate) fn caching(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        let headers = &deployed.properties("Edge/PixelHeaders")["ResponseHeadersPolicyConfig"];
        let custom = items(&headers["CustomHeadersConfig"]["Items"]);
        violations.unless(
            custom.contains(&json!({"Header": "Cache-Control", "Value": "no-store", "Override": true})),
            "browsers are not told `Cache-Control: no-store`",
        );
        let security = &headers["SecurityHeadersConfig"];
        violations.equal(
            "ContentTypeOptions",
            &security["ContentTypeOptions"]["Override"],
            true,
        );
        violations.equal(
            "ReferrerPolicy",
            &security["ReferrerPolicy"]["ReferrerPolicy"],
            "no-referrer",
        );
        violations.unless(
            headers.get("CorsConfig").is_none(),
            "other pages may read the pixel's answers",
        );
        // On a distribution of the user's the policy of headers may be another one.
        let upload = text(&deployed.properties("Edge/PixelUpload")["Code"]["ZipFile"]);
        violations.unless(
            upload.contains("CACHE_CONTROL = \"no-store\"") && upload.contains("CacheControl=CACHE_CONTROL"),
            "the pixel itself does not say `no-store`",
        );
        // The object says no-store, which the edge heeds after MinTTL seconds and not before.
        // https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html
        let policy = &deployed.properties("Edge/PixelCachePolicy")["CachePolicyConfig"];
        violations.unless(
            super::world::number(&policy["MinTTL"]) >= 30.0 * 86_400.0,
            "the edge does not keep the pixel",
        );
        let key = &policy["ParametersInCacheKeyAndForwardedToOrigin"];
        for behaviour in [
            "/QueryStringsConfig/QueryStringBehavior",
            "/CookiesConfig/CookieBehavior",
            "/HeadersConfig/HeaderBehavior",
        ] {
            let found = key.pointer(behaviour).unwrap_or(&serde_json::Value::Null);
            violations.equal(behaviour, found, "none");
        }
    })
}

/// On a distribution of the user's, the outputs say what to set on which behaviour.
pub(crate) fn existing_distribution(world: &World) -> Vec<String> {
    world.each(|deployed, violations| {
        let id = deployed.parameter("ExistingDistributionId");
        if id.is_empty() {
            return;
        }
        let to_set = text(&deployed.stack.outputs()["BehaviourToSet"]);
        let origin = deployed.stack.attribute("Edge/PixelBucket", "RegionalDomainName");
        for part in [
            id,
            deployed.parameter("PixelPath"),
            origin.as_str(),
            &text(&deployed.arn(LOG)),
            &text(&deployed.name("Edge/PixelAccess")),
            &text(&deployed.name("Edge/PixelCachePolicy")),
            &text(&deployed.name("Edge/PixelHeaders")),
            // Who has such a plan has to know before the first hit.
            "Flat-rate",
        ] {
            violations.unless(
                to_set.contains(part),
                format!("BehaviourToSet does not say {part}"),
            );
        }
    })
}
