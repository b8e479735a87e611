//! `WORKFLOW_SCHEDULE`: the one schedule that is repeated, and the exploration that it is of.
//! It reads the text; repeating is done elsewhere.

use workflow_graph::suggest::closest;

/// The variable: `fulfil_order:2.5@tests::an_order_survives`, of which the test may be left out.
pub(crate) const SCHEDULE: &str = "WORKFLOW_SCHEDULE";

/// What the environment says.
pub(crate) fn given() -> Option<String> {
    std::env::var(SCHEDULE).ok()
}

/// What it says of an exploration.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Again<'a> {
    /// This schedule is repeated.
    This(&'a str),
    /// It is about another exploration; in words.
    Other(String),
}

impl Again<'_> {
    /// What the text says of the exploration of this workflow that is called so. `cargo test` runs every test whose
    /// name holds what was asked for, and a test may explore more than once: only the one that has printed the text
    /// repeats it. A text without a test is for all explorations of its workflow.
    ///
    /// # Errors
    /// When it is no schedule.
    pub(crate) fn of<'a>(text: &'a str, workflow: &str, whose: &str) -> Result<Again<'a>, String> {
        let (schedule, wanted) = match text.split_once('@') {
            Some((schedule, wanted)) => (schedule, Some(wanted)),
            None => (text, None),
        };
        let Some((named, schedule)) = schedule.split_once(':') else {
            return Err(format!("{SCHEDULE} does not hold a schedule: `{text}`; say `{workflow}:{text}`"));
        };
        if named != workflow {
            let meant = match closest(named, &[workflow]) {
                Some(_) if wanted.is_none() => format!("; if you mean this one, say `{workflow}:{schedule}`"),
                _ => String::new(),
            };
            return Ok(Again::Other(format!(
                "{SCHEDULE} is about the workflow `{named}`; `{workflow}` was explored as usual{meant}"
            )));
        }
        match wanted.filter(|wanted| *wanted != whose) {
            None => Ok(Again::This(schedule)),
            Some(wanted) => Ok(Again::Other(format!(
                "{SCHEDULE} is about the exploration `{wanted}`; `{whose}` was made as usual; to try it here, too, say \
                 `{named}:{schedule}`"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exploration_that_printed_it_repeats_a_schedule() {
        let of = |text| Again::of(text, "fulfil_order", "shop::pays");
        assert_eq!(of("fulfil_order:01.2@shop::pays"), Ok(Again::This("01.2")));
        assert_eq!(of("fulfil_order:01.2"), Ok(Again::This("01.2")));
        for other in
            ["fulfil_order:01@shop::pays_late", "fulfil_order:01@shop::pays#2", "fulfil_orders:01@shop::pays"]
        {
            assert!(matches!(of(other), Ok(Again::Other(_))), "{other}");
        }
    }

    #[test]
    fn a_slip_of_the_pen_is_told() {
        let Ok(Again::Other(told)) = Again::of("fulfil_ordr:01", "fulfil_order", "shop::pays") else {
            panic!("it is another workflow")
        };
        assert!(told.ends_with("if you mean this one, say `fulfil_order:01`"), "{told}");
        let error = Again::of("01", "fulfil_order", "shop::pays").unwrap_err();
        assert!(error.ends_with("say `fulfil_order:01`"), "{error}");
    }
}
