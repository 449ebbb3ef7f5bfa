//! Conditions and rules: what is true under the parameters.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html>

use std::collections::BTreeMap;

use serde_json::Value;

use super::StackError;
use super::evaluation::Evaluation;
use super::scalars::{single, text};

/// The conditions that are known; none while one is being found out.
pub(super) type Truths = BTreeMap<String, Option<bool>>;

/// Functions that a condition may use for its texts, and a rule may not.
const RULES_LACK: [&str; 7] = [
    "\"Condition\"",
    "\"Fn::FindInMap\"",
    "\"Fn::If\"",
    "\"Fn::Join\"",
    "\"Fn::Select\"",
    "\"Fn::Split\"",
    "\"Fn::Sub\"",
];

/// Where a truth is asked for: rules know other functions than conditions do.
#[derive(Clone, Copy, PartialEq)]
enum Within {
    Condition,
    Rule,
}

impl<'a> Evaluation<'a> {
    /// Whether a condition holds.
    pub(super) fn condition(&mut self, name: &str) -> Result<bool, StackError> {
        let mut place = vec!["Conditions".to_owned(), name.to_owned()];
        match self.truths.get(name) {
            Some(Some(truth)) => return Ok(*truth),
            Some(None) => return Err(self.wrong(&place, "it depends on itself")),
            None => {}
        }
        let Some((_, condition)) = self.section("Conditions").find(|(known, _)| *known == name) else {
            return Err(self.wrong(&place, "there is no such condition"));
        };
        self.truths.insert(name.to_owned(), None);
        let truth = self.truth(condition, Within::Condition, &mut place)?;
        self.truths.insert(name.to_owned(), Some(truth));
        Ok(truth)
    }

    /// Rules that fail are an error with the sentences of their assertions.
    pub(super) fn check_rules(&mut self) -> Result<(), StackError> {
        let mut failed: Vec<(String, &str)> = Vec::new();
        for (name, rule) in self.section("Rules") {
            let mut place = vec!["Rules".to_owned(), name.clone()];
            if let Some(condition) = rule.get("RuleCondition")
                && !self.truth(condition, Within::Rule, &mut place)?
            {
                continue;
            }
            let assertions = rule.get("Assertions").and_then(Value::as_array);
            for assertion in assertions.ok_or_else(|| self.wrong(&place, "a rule needs Assertions"))? {
                let Some(sentence) = assertion.get("AssertDescription").and_then(Value::as_str) else {
                    return Err(self.wrong(&place, "an assertion needs an AssertDescription"));
                };
                if !self.truth(&assertion["Assert"], Within::Rule, &mut place)? {
                    failed.push((place.join("."), sentence));
                }
            }
        }
        match failed.first() {
            None => Ok(()),
            Some((place, _)) => {
                let sentences: Vec<&str> = failed.iter().map(|(_, sentence)| *sentence).collect();
                Err(StackError::new(self.name, place, sentences.join(" ")))
            }
        }
    }

    fn truth(
        &mut self,
        value: &'a Value,
        within: Within,
        place: &mut Vec<String>,
    ) -> Result<bool, StackError> {
        let Some((function, argument)) = single(value) else {
            return Err(self.wrong(place, format!("expected a function, found {value}")));
        };
        let arguments = argument.as_array().map(Vec::as_slice);
        if within == Within::Rule
            && RULES_LACK
                .iter()
                .any(|lacking| argument.to_string().contains(lacking))
        {
            return Err(self.wrong(
                place,
                format!("a rule cannot use any of {}", RULES_LACK.join(", ")),
            ));
        }
        match (function, arguments, within) {
            ("Fn::And" | "Fn::Or", Some(parts), _) if !(2..=10).contains(&parts.len()) => {
                Err(self.wrong(place, format!("{function} takes 2 to 10 conditions")))
            }
            ("Fn::And", Some(parts), _) => {
                let mut all = true;
                for part in parts {
                    all &= self.truth(part, within, place)?;
                }
                Ok(all)
            }
            ("Fn::Or", Some(parts), _) => {
                let mut any = false;
                for part in parts {
                    any |= self.truth(part, within, place)?;
                }
                Ok(any)
            }
            ("Fn::Not", Some([part]), _) => Ok(!self.truth(part, within, place)?),
            ("Fn::Equals", Some([left, right]), _) => {
                let left = self.text(left, function, place)?;
                Ok(left == self.text(right, function, place)?)
            }
            ("Condition", _, Within::Condition) => self.condition(argument.as_str().unwrap_or_default()),
            ("Fn::Contains", Some([list, member]), Within::Rule) => {
                let list = self.texts(list, function, place)?;
                Ok(list.contains(&self.text(member, function, place)?))
            }
            ("Fn::EachMemberIn", Some([members, list]), Within::Rule) => {
                let members = self.texts(members, function, place)?;
                let list = self.texts(list, function, place)?;
                Ok(members.iter().all(|member| list.contains(member)))
            }
            ("Fn::EachMemberEquals", Some([members, value]), Within::Rule) => {
                let members = self.texts(members, function, place)?;
                let value = self.text(value, function, place)?;
                Ok(members.iter().all(|member| *member == value))
            }
            _ => Err(self.wrong(
                place,
                format!("{function} is not known here, or not with this argument"),
            )),
        }
    }

    fn texts(
        &mut self,
        value: &'a Value,
        function: &str,
        place: &mut Vec<String>,
    ) -> Result<Vec<String>, StackError> {
        let resolved = self.resolve(value, place)?;
        let texts = resolved
            .as_ref()
            .and_then(Value::as_array)
            .and_then(|items| items.iter().map(text).collect());
        texts.ok_or_else(|| self.wrong(place, format!("{function} takes a list of texts here")))
    }
}
