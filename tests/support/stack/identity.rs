//! What `Ref` and `Fn::GetAtt` give for a resource, type by type.
//!
//! A name that the template does not set is made of the stack's name and the logical id, so that it is the
//! same each time; `CloudFormation` adds letters of chance.
//!
//! Source: "Return values" of each type in
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/>

use serde_json::Value;

use super::scalars::text;

/// The account in which the stack is evaluated.
pub const ACCOUNT: &str = "123456789012";

/// The resource of which something is asked.
pub(super) struct Identity<'a> {
    pub(super) region: &'a str,
    /// The name of the stack that holds it.
    pub(super) stack: &'a str,
    pub(super) logical_id: &'a str,
    /// Resolved, with `Type` and `Properties`.
    pub(super) object: &'a Value,
}

impl Identity<'_> {
    fn kind(&self) -> &str {
        self.object["Type"].as_str().unwrap_or_default()
    }

    /// The name that the template sets, or else one that follows from the stack and the logical id.
    fn name(&self) -> String {
        let set = match self.kind() {
            "AWS::S3::Bucket" => "BucketName",
            "AWS::KinesisFirehose::DeliveryStream" => "DeliveryStreamName",
            "AWS::Lambda::Function" => "FunctionName",
            "AWS::IAM::Role" => "RoleName",
            "AWS::IAM::Policy" => "PolicyName",
            "AWS::IAM::ManagedPolicy" => "ManagedPolicyName",
            "AWS::Logs::LogGroup" => "LogGroupName",
            "AWS::Logs::LogStream" => "LogStreamName",
            "AWS::Logs::MetricFilter" => "FilterName",
            "AWS::SNS::Topic" => "TopicName",
            "AWS::SQS::Queue" => "QueueName",
            "AWS::CloudWatch::Alarm" | "AWS::CloudWatch::CompositeAlarm" => "AlarmName",
            "AWS::CloudWatch::Dashboard" => "DashboardName",
            "AWS::KMS::Alias" => "AliasName",
            "AWS::Glue::Database" => "DatabaseInput/Name",
            "AWS::Glue::Table" => "TableInput/Name",
            "AWS::CloudFront::RealtimeLogConfig"
            | "AWS::Kinesis::Stream"
            | "AWS::SecretsManager::Secret"
            | "AWS::Athena::WorkGroup"
            | "AWS::Athena::NamedQuery"
            | "AWS::Events::Rule"
            | "AWS::WAFv2::WebACL"
            | "AWS::CloudFront::Function"
            | "AWS::SSM::Parameter" => "Name",
            _ => "",
        };
        let set = self.object.pointer(&format!("/Properties/{set}")).and_then(text);
        let made = || format!("{}-{}", self.stack, self.logical_id);
        match self.kind() {
            "AWS::S3::Bucket" => set.unwrap_or_else(|| made().to_lowercase()),
            _ => set.unwrap_or_else(made),
        }
    }

    fn arn(&self, service: &str, rest: &str) -> String {
        format!("arn:aws:{service}:{}:{ACCOUNT}:{rest}", self.region)
    }

    /// Of a service without regions.
    fn global_arn(service: &str, rest: &str) -> String {
        format!("arn:aws:{service}::{ACCOUNT}:{rest}")
    }

    /// An identifier that the service would make up.
    fn id(&self) -> String {
        format!("{}-{}-id", self.stack, self.logical_id)
    }

    /// What `Ref` gives; none for a type that is not known here.
    pub(super) fn reference(&self) -> Option<String> {
        Some(match self.kind() {
            "AWS::Kinesis::Stream"
            | "AWS::KinesisFirehose::DeliveryStream"
            | "AWS::S3::Bucket"
            | "AWS::Lambda::Function"
            | "AWS::IAM::Role"
            | "AWS::IAM::Policy"
            | "AWS::Logs::LogGroup"
            | "AWS::Logs::LogStream"
            | "AWS::Logs::MetricFilter"
            | "AWS::CloudWatch::Alarm"
            | "AWS::CloudWatch::CompositeAlarm"
            | "AWS::CloudWatch::Dashboard"
            | "AWS::KMS::Alias"
            | "AWS::Glue::Database"
            | "AWS::Glue::Table"
            | "AWS::Athena::WorkGroup"
            | "AWS::Events::Rule"
            | "AWS::SSM::Parameter" => self.name(),
            "AWS::S3::BucketPolicy" => text(&self.object["Properties"]["Bucket"])?,
            "AWS::KMS::Key"
            | "AWS::Lambda::EventSourceMapping"
            | "AWS::Lambda::Permission"
            | "AWS::Athena::NamedQuery"
            | "AWS::CloudFront::Distribution"
            | "AWS::CloudFront::OriginAccessControl"
            | "AWS::CloudFront::CachePolicy"
            | "AWS::CloudFront::ResponseHeadersPolicy"
            | "AWS::CloudFront::OriginRequestPolicy"
            | "AWS::SNS::TopicPolicy"
            | "AWS::CloudFormation::CustomResource"
            | "AWS::CloudFormation::WaitConditionHandle"
            | "AWS::SQS::QueuePolicy" => self.id(),
            "AWS::WAFv2::WebACL" => {
                let scope = text(&self.object["Properties"]["Scope"])?;
                format!("{}|{}|{scope}", self.name(), self.id())
            }
            "AWS::CloudFront::RealtimeLogConfig"
            | "AWS::IAM::ManagedPolicy"
            | "AWS::SNS::Topic"
            | "AWS::SNS::Subscription"
            | "AWS::SecretsManager::Secret"
            | "AWS::CloudFormation::Stack"
            | "AWS::CertificateManager::Certificate"
            | "AWS::CloudFront::Function" => self.own_arn()?,
            "AWS::SQS::Queue" => format!(
                "https://sqs.{}.amazonaws.com/{ACCOUNT}/{}",
                self.region,
                self.name()
            ),
            kind if kind.starts_with("Custom::") => self.id(),
            _ => return None,
        })
    }

    /// What `Fn::GetAtt` gives; none for an attribute that the type has not, or a type not known here.
    pub(super) fn attribute(&self, attribute: &str) -> Option<String> {
        Some(match (self.kind(), attribute) {
            (
                "AWS::Kinesis::Stream"
                | "AWS::KinesisFirehose::DeliveryStream"
                | "AWS::S3::Bucket"
                | "AWS::KMS::Key"
                | "AWS::Lambda::Function"
                | "AWS::IAM::Role"
                | "AWS::Events::Rule"
                | "AWS::CloudWatch::Alarm"
                | "AWS::CloudWatch::CompositeAlarm"
                | "AWS::SQS::Queue"
                | "AWS::CloudFront::RealtimeLogConfig"
                | "AWS::WAFv2::WebACL"
                | "AWS::SNS::Subscription",
                "Arn",
            )
            | ("AWS::Lambda::EventSourceMapping", "EventSourceMappingArn")
            | ("AWS::IAM::ManagedPolicy", "PolicyArn")
            | ("AWS::SNS::Topic", "TopicArn")
            | ("AWS::SecretsManager::Secret", "Id")
            | ("AWS::CloudFront::Function", "FunctionARN") => self.own_arn()?,
            ("AWS::Logs::LogGroup", "Arn") => format!("{}:*", self.own_arn()?),
            ("AWS::S3::Bucket", "DomainName") => format!("{}.s3.amazonaws.com", self.name()),
            ("AWS::S3::Bucket", "RegionalDomainName") => {
                format!("{}.s3.{}.amazonaws.com", self.name(), self.region)
            }
            (
                "AWS::Lambda::EventSourceMapping"
                | "AWS::WAFv2::WebACL"
                | "AWS::CloudFront::Distribution"
                | "AWS::CloudFront::OriginAccessControl"
                | "AWS::CloudFront::CachePolicy"
                | "AWS::CloudFront::ResponseHeadersPolicy"
                | "AWS::CloudFront::OriginRequestPolicy",
                "Id",
            )
            | ("AWS::KMS::Key", "KeyId")
            | ("AWS::Athena::NamedQuery", "NamedQueryId")
            | ("AWS::IAM::Role", "RoleId") => self.id(),
            ("AWS::CloudFront::Distribution", "DomainName") => {
                format!("{}.cloudfront.net", self.id().to_lowercase())
            }
            ("AWS::SNS::Topic", "TopicName") | ("AWS::SQS::Queue", "QueueName") => self.name(),
            ("AWS::CloudFormation::CustomResource", _) => format!("{}.{attribute}", self.id()),
            (kind, _) if kind.starts_with("Custom::") => format!("{}.{attribute}", self.id()),
            _ => return None,
        })
    }

    /// The ARN of what has one.
    fn own_arn(&self) -> Option<String> {
        let name = self.name();
        Some(match self.kind() {
            "AWS::Kinesis::Stream" => self.arn("kinesis", &format!("stream/{name}")),
            "AWS::KinesisFirehose::DeliveryStream" => self.arn("firehose", &format!("deliverystream/{name}")),
            "AWS::S3::Bucket" => format!("arn:aws:s3:::{name}"),
            "AWS::KMS::Key" => self.arn("kms", &format!("key/{}", self.id())),
            "AWS::Lambda::Function" => self.arn("lambda", &format!("function:{name}")),
            "AWS::Lambda::EventSourceMapping" => {
                self.arn("lambda", &format!("event-source-mapping:{}", self.id()))
            }
            "AWS::IAM::Role" => Self::global_arn("iam", &format!("role/{name}")),
            "AWS::IAM::ManagedPolicy" => Self::global_arn("iam", &format!("policy/{name}")),
            "AWS::Logs::LogGroup" => self.arn("logs", &format!("log-group:{name}")),
            "AWS::Events::Rule" => self.arn("events", &format!("rule/{name}")),
            "AWS::CloudWatch::Alarm" | "AWS::CloudWatch::CompositeAlarm" => {
                self.arn("cloudwatch", &format!("alarm:{name}"))
            }
            "AWS::SNS::Topic" => self.arn("sns", &name),
            "AWS::SNS::Subscription" => self.arn("sns", &format!("{}:{}", self.stack, self.id())),
            "AWS::SQS::Queue" => self.arn("sqs", &name),
            "AWS::CloudFront::RealtimeLogConfig" => {
                Self::global_arn("cloudfront", &format!("realtime-log-config/{name}"))
            }
            "AWS::CloudFront::Function" => Self::global_arn("cloudfront", &format!("function/{name}")),
            "AWS::WAFv2::WebACL" => self.arn("wafv2", &format!("global/webacl/{name}/{}", self.id())),
            "AWS::CertificateManager::Certificate" => self.arn("acm", &format!("certificate/{}", self.id())),
            // Secrets Manager adds six letters of chance.
            "AWS::SecretsManager::Secret" => self.arn("secretsmanager", &format!("secret:{name}-AbCdEf")),
            "AWS::CloudFormation::Stack" => {
                stack_id(self.region, &format!("{}-{}", self.stack, self.logical_id))
            }
            _ => return None,
        })
    }
}

/// The id of a stack, which is an ARN.
pub(super) fn stack_id(region: &str, name: &str) -> String {
    format!("arn:aws:cloudformation:{region}:{ACCOUNT}:stack/{name}/00000000-0000-0000-0000-000000000000")
}
