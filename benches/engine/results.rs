//! What was measured, as it is kept in a file: every value of every round, and what it was measured on.
//! Knows medians; must not know goals or how a table looks.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use bench_kit::{Values, percentile};
use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::cases::Case;
use crate::contestants::{Contestant, Role, StoreKind};
use crate::measure::is_quiet;

/// A whole session.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Results {
    /// Seconds since the Unix epoch when it began.
    began_s: u64,
    processors: usize,
    /// The commit that was measured, if git knows.
    revision: String,
    measurements: Vec<Measurement>,
}

/// One contestant at one case in one round.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Measurement {
    pub(crate) case: String,
    pub(crate) contestant: String,
    pub(crate) role: Role,
    pub(crate) store: StoreKind,
    pub(crate) durability: String,
    pub(crate) round: usize,
    /// Why there are no values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<String>,
    #[serde(default)]
    pub(crate) values: Values,
}

impl Results {
    pub(crate) fn begin() -> Results {
        let began_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let git = Command::new("git")
            .args(["describe", "--always", "--dirty"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output();
        let revision = git.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        Results { began_s, processors, revision: revision.unwrap_or_default(), measurements: Vec::new() }
    }

    pub(crate) fn add(&mut self, case: &Case, contestant: &Contestant, round: usize, values: Values) {
        self.measurements.push(Measurement::new(case, contestant, round, None, values));
    }

    pub(crate) fn add_failure(
        &mut self,
        case: &Case,
        contestant: &Contestant,
        round: usize,
        failure: String,
    ) {
        self.measurements.push(Measurement::new(case, contestant, round, Some(failure), Values::new()));
    }

    /// # Errors
    /// When the file is not there, or was not written by this program.
    pub(crate) fn read(file: &Path) -> Result<Results, Failure> {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        Ok(serde_json::from_str(&text)?)
    }

    pub(crate) fn write(&self, file: &Path) -> Result<(), Failure> {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        Ok(std::fs::write(file, serde_json::to_string_pretty(self)?)?)
    }

    /// When and where it was measured, in one sentence.
    pub(crate) fn occasion(&self) -> String {
        let began =
            i64::try_from(self.began_s).ok().and_then(|began| jiff::Timestamp::from_second(began).ok());
        let day = began.map_or_else(String::new, |began| began.strftime("%Y-%m-%d").to_string());
        let (revision, processors) = (&self.revision, self.processors);
        format!("Measured {day} at commit {revision} on {processors} processors.")
    }

    /// All contestants with how durable they are, by name.
    pub(crate) fn durabilities(&self) -> BTreeMap<&str, &str> {
        let each = self.measurements.iter();
        each.map(|measured| (measured.contestant.as_str(), measured.durability.as_str())).collect()
    }

    /// The contestants of a case, in the order in which they first played.
    pub(crate) fn contestants(&self, case: &str) -> Vec<&Measurement> {
        let mut found: Vec<&Measurement> = Vec::new();
        for measurement in self.measurements.iter().filter(|measurement| measurement.case == case) {
            if !found.iter().any(|known| known.contestant == measurement.contestant) {
                found.push(measurement);
            }
        }
        found
    }

    /// The rounds that count: the quiet ones, or all when none was quiet.
    pub(crate) fn rounds(&self, case: &str, contestant: &str) -> Vec<&Measurement> {
        let all = self.measurements.iter().filter(|measurement| {
            measurement.case == case && measurement.contestant == contestant && measurement.failure.is_none()
        });
        let (quiet, noisy): (Vec<_>, Vec<_>) = all.partition(|measurement| is_quiet(&measurement.values));
        if quiet.is_empty() { noisy } else { quiet }
    }

    /// The median of a value over the rounds that count.
    pub(crate) fn median(&self, case: &str, contestant: &str, value: &str) -> Option<f64> {
        let rounds = self.rounds(case, contestant);
        let values: Vec<f64> = rounds.iter().filter_map(|round| round.values.get(value).copied()).collect();
        (!values.is_empty()).then(|| percentile(&values, 0.5))
    }

    /// How a value of the engine stands to that of another contestant: the median over the rounds, each round for
    /// itself, because both were measured in the same minute then.
    pub(crate) fn ratio(&self, case: &str, contestant: &str, other: &str, value: &str) -> Option<f64> {
        let of = |contestant: &str, round: usize| {
            let found = self.measurements.iter().find(|measurement| {
                measurement.case == case && measurement.contestant == contestant && measurement.round == round
            });
            found.and_then(|measurement| measurement.values.get(value).copied())
        };
        let last = self.measurements.iter().map(|measurement| measurement.round).max()?;
        let ratios: Vec<f64> = (0..=last)
            .filter_map(|round| Some(of(contestant, round)? / of(other, round)?))
            .filter(|ratio| ratio.is_finite())
            .collect();
        (!ratios.is_empty()).then(|| percentile(&ratios, 0.5))
    }

    /// # Errors
    /// When the engine lost something or repeated a completed step, or did not answer at all.
    pub(crate) fn verdict(&self) -> Result<(), Failure> {
        for measurement in self.measurements.iter().filter(|measurement| measurement.role == Role::Engine) {
            let Measurement { case, contestant, round, failure, values, .. } = measurement;
            let round = round + 1;
            if let Some(failure) = failure {
                return Err(format!("{contestant} failed at {case} in round {round}: {failure}").into());
            }
            for wrong in ["repeated_steps", "lost"] {
                if let Some(count) = values.get(wrong).filter(|count| **count > 0.0) {
                    return Err(format!("{contestant} at {case} in round {round}: {wrong} {count}").into());
                }
            }
        }
        Ok(())
    }
}

impl Measurement {
    fn new(
        case: &Case,
        contestant: &Contestant,
        round: usize,
        failure: Option<String>,
        values: Values,
    ) -> Measurement {
        Measurement {
            case: case.name.to_owned(),
            contestant: contestant.name.clone(),
            role: contestant.role,
            store: contestant.store,
            durability: contestant.durability.to_owned(),
            round,
            failure,
            values,
        }
    }
}
