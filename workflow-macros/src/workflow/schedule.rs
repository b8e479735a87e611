//! The words of a schedule: `cron`, `timezone` and `catch_up` (WF045).
//! Whether the schedule can be kept is found out here, with what the engine reads it with; when it fires is not.

use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::LitStr;
use syn::spanned::Spanned;
use workflow_graph::CatchUp;

use super::signature::Parameter;
use crate::errors::Errors;
use crate::suggest::did_you_mean;
use crate::words::Word;

const PAGE: &str = "see docs/errors/WF045.md";

/// The fields of a cron expression, with what may stand in them.
const FIELDS: [(&str, &str); 5] = [
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day of the month", "1 to 31, or `L` for the last"),
    ("month", "1 to 12, or JAN to DEC"),
    ("day of the week", "0 to 7, or SUN to SAT"),
];

/// A schedule that can be kept.
pub(crate) struct Schedule {
    pub(crate) cron: String,
    pub(crate) timezone: String,
    pub(crate) catch_up: CatchUp,
}

/// The words as they are written.
#[derive(Default)]
pub(crate) struct ScheduleWords {
    cron: Option<Option<LitStr>>,
    timezone: Option<(Span, Option<LitStr>)>,
    catch_up: Option<(Span, Option<LitStr>)>,
}

impl ScheduleWords {
    /// Takes one of the words.
    pub(crate) fn add(&mut self, word: &Word, errors: &mut Errors) {
        let span = word.name.span();
        match word.name.to_string().as_str() {
            "cron" => self.cron = Some(word.value("cron = \"0 6 * * *\"", errors)),
            "timezone" => {
                self.timezone = Some((span, word.value("timezone = \"Europe/Berlin\"", errors)));
            }
            _ => self.catch_up = Some((span, word.value("catch_up = \"latest\"", errors))),
        }
    }

    /// The schedule that they say, if they do.
    pub(crate) fn read(self, errors: &mut Errors) -> Option<Schedule> {
        let Some(cron) = self.cron else {
            let alone = [("timezone", self.timezone), ("catch_up", self.catch_up)];
            for (name, span) in alone.into_iter().filter_map(|(name, word)| Some((name, word?.0))) {
                let why =
                    format!("WF045: `{name}` belongs to a schedule: add `cron = \"0 6 * * *\"`; {PAGE}");
                errors.at(span, why);
            }
            return None;
        };
        let timezone = match self.timezone {
            None => Some("UTC".to_owned()),
            Some((_, literal)) => literal.and_then(|literal| errors.ok(read_timezone(&literal))),
        };
        let catch_up = match self.catch_up {
            None => Some(CatchUp::Latest),
            Some((_, literal)) => literal.and_then(|literal| errors.ok(read_catch_up(&literal))),
        };
        let cron = cron.and_then(|literal| errors.ok(read_cron(&literal)));
        Some(Schedule { cron: cron?, timezone: timezone?, catch_up: catch_up? })
    }
}

impl Schedule {
    /// A workflow that starts by itself takes nothing, or the time; the compiler looks at the type.
    pub(crate) fn check_parameters(&self, parameters: &[Parameter], errors: &mut Errors) {
        for parameter in parameters.iter().skip(1) {
            let why = format!(
                "WF045: nobody is there to hand this over: a workflow with a schedule takes nothing, or the \
                 scheduled time (`std::time::SystemTime`); let a step find out what else it needs; {PAGE}"
            );
            errors.at(parameter.ty.span(), why);
        }
    }

    /// What stands in the graph.
    pub(crate) fn trigger(&self) -> TokenStream {
        let Schedule { cron, timezone, catch_up } = self;
        let catch_up = match catch_up {
            CatchUp::Latest => quote!(Latest),
            CatchUp::All => quote!(All),
            CatchUp::Skip => quote!(Skip),
        };
        quote! {
            __graph::Trigger::Schedule {
                cron: ::std::borrow::Cow::Borrowed(#cron),
                timezone: ::std::borrow::Cow::Borrowed(#timezone),
                catch_up: __graph::CatchUp::#catch_up,
            }
        }
    }
}

fn refused<T>(literal: &LitStr, why: String) -> syn::Result<T> {
    Err(syn::Error::new(literal.span(), format!("WF045: {why}; {PAGE}")))
}

/// The expression with single spaces.
fn read_cron(literal: &LitStr) -> syn::Result<String> {
    let text = literal.value();
    let fields: Vec<&str> = text.split_whitespace().collect();
    let cron = fields.join(" ");
    if fields.len() != FIELDS.len() {
        let why = format!(
            "`{cron}` is no schedule: write five fields, minute, hour, day of the month, month and day of the \
             week, like \"0 6 * * *\" for every day at six"
        );
        return refused(literal, why);
    }
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    for (position, (field, (name, range))) in fields.iter().zip(FIELDS).enumerate() {
        let mut alone = ["*"; FIELDS.len()];
        alone[position] = field;
        if parser.parse(&alone.join(" ")).is_err() {
            let why = format!(
                "`{field}` is no {name}: write {range}, `*` for every one, lists like `1,3`, ranges like `1-5` or \
                 steps like `*/2`"
            );
            return refused(literal, why);
        }
    }
    let schedule = match parser.parse(&cron) {
        Ok(schedule) => schedule,
        Err(error) => return refused(literal, format!("`{cron}` is no schedule: {error}")),
    };
    // Whether there is such a day is the same from every time on.
    let from = jiff::Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
    match schedule.find_next_occurrence(&from, false) {
        Ok(_) => Ok(cron),
        Err(_) => {
            let why = format!("`{cron}` never fires: no month has such a day; correct the day or the month");
            refused(literal, why)
        }
    }
}

/// The name as the time zone database writes it.
fn read_timezone(literal: &LitStr) -> syn::Result<String> {
    let name = literal.value();
    let known = TimeZoneDatabase::bundled();
    if let Some(name) = known.get(&name).ok().as_ref().and_then(TimeZone::iana_name) {
        return Ok(name.to_owned());
    }
    let names: Vec<String> = known.available().map(|known| known.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let hint = match did_you_mean(&name, &names) {
        hint if hint.is_empty() => {
            "; write a name of the IANA database like \"Europe/Berlin\" or \"UTC\"".to_owned()
        }
        hint => hint,
    };
    refused(literal, format!("there is no time zone `{name}`{hint}"))
}

fn read_catch_up(literal: &LitStr) -> syn::Result<CatchUp> {
    match literal.value().as_str() {
        "latest" => Ok(CatchUp::Latest),
        "all" => Ok(CatchUp::All),
        "skip" => Ok(CatchUp::Skip),
        other => {
            let why = format!(
                "`{other}` is no way to catch up what passed while no engine ran: write \"latest\" for one run, \
                 \"all\" for one run each, or \"skip\" for none"
            );
            refused(literal, why)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words;

    fn read(text: &str) -> Result<(String, String, CatchUp), Vec<String>> {
        let mut errors = Errors::default();
        let mut schedule = ScheduleWords::default();
        for word in words::split(text.parse().unwrap(), &mut errors) {
            schedule.add(&word, &mut errors);
        }
        let schedule = schedule.read(&mut errors);
        schedule
            .map(|schedule| (schedule.cron, schedule.timezone, schedule.catch_up))
            .ok_or_else(|| errors.texts())
    }

    fn refusal(text: &str) -> String {
        let texts = read(text).unwrap_err();
        assert_eq!(texts.len(), 1, "{texts:?}");
        assert!(texts[0].starts_with("WF045: ") && texts[0].ends_with(PAGE), "{texts:?}");
        texts[0].clone()
    }

    #[test]
    fn what_is_not_said_has_a_meaning() {
        let expected = Ok(("0 6 * * *".to_owned(), "UTC".to_owned(), CatchUp::Latest));
        assert_eq!(read("cron = \" 0  6 * * * \""), expected);
        let all = read("catch_up = \"all\", timezone = \"europe/berlin\", cron = \"*/5 8-18 L * MON-FRI\"");
        let expected = ("*/5 8-18 L * MON-FRI".to_owned(), "Europe/Berlin".to_owned(), CatchUp::All);
        assert_eq!(all, Ok(expected));
    }

    #[test]
    fn the_field_at_fault_is_named() {
        for (cron, name) in [
            ("61 6 * * *", "`61` is no minute"),
            ("0 25 * * *", "`25` is no hour"),
            ("0 6 32 * *", "`32` is no day of the month"),
            ("0 6 * JUNE *", "`JUNE` is no month"),
            ("0 6 * * MUN", "`MUN` is no day of the week"),
            ("*/0 6 * * *", "`*/0` is no minute"),
            ("5-1 6 * * *", "`5-1` is no minute"),
            ("0 6 * *", "write five fields"),
            ("0 0 6 * * *", "write five fields"),
            ("@daily", "write five fields"),
            ("", "write five fields"),
        ] {
            let text = refusal(&format!("cron = {cron:?}"));
            assert!(text.contains(name), "{text}");
        }
    }

    #[test]
    fn days_that_never_come_are_refused_and_rare_ones_are_not() {
        assert!(refusal("cron = \"0 0 30 2 *\"").contains("never fires"));
        assert!(refusal("cron = \"0 0 31 4,6 *\"").contains("never fires"));
        assert!(read("cron = \"0 0 29 2 *\"").is_ok());
        assert!(read("cron = \"0 0 * 2 5#5\"").is_ok());
    }

    #[test]
    fn a_time_zone_that_is_meant_is_named() {
        let text = refusal("cron = \"0 6 * * *\", timezone = \"Europe/Berln\"");
        assert!(text.contains("did you mean `Europe/Berlin`?"), "{text}");
        for unknown in ["Mars/Olympus", "", "+02:00"] {
            let text = refusal(&format!("cron = \"0 6 * * *\", timezone = {unknown:?}"));
            assert!(text.contains("there is no time zone"), "{text}");
        }
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let texts = read("cron = \"never\", timezone = \"nowhere\", catch_up = \"maybe\"").unwrap_err();
        assert_eq!(texts.len(), 3, "{texts:?}");
        let texts = read("timezone = \"UTC\", catch_up = \"all\"").unwrap_err();
        assert_eq!(texts.len(), 2, "{texts:?}");
        assert!(texts.iter().all(|text| text.contains("add `cron = ")), "{texts:?}");
    }
}
