//! The work that is timed: workloads A to F in the sizes that the goals name.
//! Plain data; how it is played is in the kit.

use std::fmt;

use bench_kit::Shape;

/// One workload in one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    /// On the command line and in files.
    pub(crate) name: &'static str,
    pub(crate) work: Work,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    Throughput {
        runs: u32,
        steps: u32,
        in_flight: u32,
    },
    Latency {
        runs: u32,
        steps: u32,
    },
    FanOut {
        steps: u32,
    },
    Parked {
        runs: u32,
        in_flight: u32,
        shape: Shape,
    },
    /// Killed when half of all steps were done.
    Recovery {
        runs: u32,
        steps: u32,
    },
    LongRun {
        steps: u32,
    },
}

pub(crate) const CASES: [Case; 9] = [
    Case { name: "A", work: Work::Throughput { runs: 2_000, steps: 5, in_flight: 64 } },
    Case { name: "B", work: Work::Latency { runs: 200, steps: 10 } },
    Case { name: "C", work: Work::FanOut { steps: 1_000 } },
    Case { name: "D-20000", work: Work::Parked { runs: 20_000, in_flight: 64, shape: Shape::Parked } },
    Case { name: "D-100000", work: Work::Parked { runs: 100_000, in_flight: 64, shape: Shape::Parked } },
    Case { name: "D-messages", work: Work::Parked { runs: 100_000, in_flight: 64, shape: Shape::Waiting } },
    Case { name: "E", work: Work::Recovery { runs: 1_000, steps: 20 } },
    Case { name: "F-2000", work: Work::LongRun { steps: 2_000 } },
    Case { name: "F-10000", work: Work::LongRun { steps: 10_000 } },
];

impl Case {
    /// The cases that a word means: `D` is all of D.
    pub(crate) fn named(word: &str) -> Vec<Case> {
        let word = word.to_uppercase();
        let is_meant =
            |case: &Case| case.name.to_uppercase() == word || case.name.split('-').next() == Some(&word);
        CASES.into_iter().filter(is_meant).collect()
    }

    /// For people.
    pub(crate) fn title(&self) -> String {
        match self.work {
            Work::Throughput { runs, steps, in_flight } => {
                format!("throughput, {} runs of {steps} steps, {in_flight} in flight", thousands(runs))
            }
            Work::Latency { runs, steps } => format!("latency of a lone run of {steps} steps, {runs} times"),
            Work::FanOut { steps } => format!("fan-out, {} parallel steps", thousands(steps)),
            Work::Parked { runs, in_flight, shape } => {
                let what = if shape == Shape::Waiting { "a message" } else { "a timer" };
                format!("{} runs parked until {what} comes, {in_flight} starts in flight", thousands(runs))
            }
            Work::Recovery { runs, steps } => {
                format!("recovery of {} runs of {steps} steps, killed half way", thousands(runs))
            }
            Work::LongRun { steps } => format!("one run of {} steps", thousands(steps)),
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

fn thousands(number: u32) -> String {
    if number < 1_000 { number.to_string() } else { format!("{},{:03}", number / 1_000, number % 1_000) }
}
