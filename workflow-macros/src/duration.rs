//! Lengths of time as people write them: `"30s"`, `"1h30m"`, and ISO 8601 like `"PT30S"`.
//! Pure text to numbers; what the time is for, and whether zero makes sense there, is up to the callers.

use syn::LitStr;

/// The short units, from the largest to the smallest, with what people write instead of them.
const UNITS: [(&str, u64, &[&str]); 6] = [
    ("w", 7 * 86_400_000, &["W", "wk", "week", "weeks"]),
    ("d", 86_400_000, &["D", "day", "days"]),
    ("h", 3_600_000, &["H", "hr", "hrs", "hour", "hours"]),
    ("m", 60_000, &["min", "mins", "minute", "minutes"]),
    ("s", 1_000, &["S", "sec", "secs", "second", "seconds"]),
    ("ms", 1, &["MS", "msec", "msecs", "millis", "millisecond", "milliseconds"]),
];

const FORMS: &str =
    "write it like \"500ms\", \"30s\", \"5m\", \"2h\", \"7d\", \"1w\", \"1h30m\" or \"PT30S\"";

/// The length in milliseconds; more than zero.
///
/// # Errors
/// At the literal, with what was meant where that can be known.
pub(crate) fn positive_ms(literal: &LitStr) -> syn::Result<u64> {
    let error = |message: String| syn::Error::new(literal.span(), message);
    match parse_ms(&literal.value()).map_err(error)? {
        0 => Err(error("this length of time is zero; it must be longer".to_owned())),
        ms => Ok(ms),
    }
}

/// The length in milliseconds, also of nothing at all.
///
/// # Errors
/// What is wrong with the text, and how to write it instead.
pub(crate) fn parse_ms(text: &str) -> Result<u64, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(format!("a length of time is missing; {FORMS}"));
    }
    if text.starts_with('-') || text.starts_with("P-") || text.starts_with("PT-") {
        return Err(format!("`{text}`: a length of time is never negative"));
    }
    match text.strip_prefix(['P', 'p']) {
        Some(iso) if text.starts_with('P') => parse_iso(text, iso),
        Some(_) => Err(format!("`{text}`: ISO 8601 is written in capitals: \"{}\"", text.to_uppercase())),
        None => parse_short(text),
    }
}

fn parse_short(text: &str) -> Result<u64, String> {
    let mut total_ms = 0_u64;
    let mut smallest = None;
    for (number, unit) in numbers_and_letters(text)? {
        let position = short_unit(text, number, unit)?;
        if smallest.is_some_and(|smallest| position <= smallest) {
            return Err(format!("`{text}`: write each unit once, the larger ones first, like \"1h30m\""));
        }
        smallest = Some(position);
        total_ms = sum_ms(text, total_ms, number, UNITS[position].1)?;
    }
    Ok(total_ms)
}

fn short_unit(text: &str, number: &str, unit: &str) -> Result<usize, String> {
    if unit.is_empty() {
        return Err(format!("`{text}`: the unit is missing; one of ms, s, m, h, d, w: \"{number}s\""));
    }
    if let Some(position) = UNITS.iter().position(|(name, ..)| *name == unit) {
        return Ok(position);
    }
    let meant = UNITS.iter().find(|(.., others)| others.contains(&unit));
    Err(match meant {
        Some((name, ..)) => format!("`{text}`: write \"{number}{name}\""),
        None => format!("`{text}`: `{unit}` is no unit; the units are ms, s, m, h, d, w"),
    })
}

/// The pairs of a number and the letters behind it, in order.
fn numbers_and_letters(text: &str) -> Result<Vec<(&str, &str)>, String> {
    let mut pairs = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (number, after) = split_where(rest, |c| !c.is_ascii_digit());
        if number.is_empty() {
            return Err(format!("`{text}` is not a length of time; {FORMS}"));
        }
        if after.starts_with(['.', ',']) {
            return Err(format!("`{text}`: write whole numbers with smaller units, like \"1h30m\""));
        }
        let (unit, after) = split_where(after.trim_start(), |c| !c.is_alphabetic());
        pairs.push((number, unit));
        rest = after.trim_start();
    }
    Ok(pairs)
}

/// The ISO units of the date, then those of the time.
const ISO_DATE: [(char, u64); 2] = [('W', 7 * 86_400_000), ('D', 86_400_000)];
const ISO_TIME: [(char, u64); 3] = [('H', 3_600_000), ('M', 60_000), ('S', 1_000)];

fn parse_iso(text: &str, iso: &str) -> Result<u64, String> {
    let (date, time) = match iso.split_once('T') {
        Some((_, "")) => return Err(format!("`{text}`: nothing follows the `T`; \"PT30S\" is 30 seconds")),
        Some((date, time)) => (date, time),
        None if iso.is_empty() => return Err(format!("`{text}` is not a length of time; {FORMS}")),
        None => (iso, ""),
    };
    if let Some(meant) = with_t_in_its_place(date, time) {
        return Err(format!(
            "`{text}`: days stand before the `T`, hours, minutes and seconds after it: \"{meant}\""
        ));
    }
    let total_ms = iso_part(text, date, &ISO_DATE, 0)?;
    iso_part(text, time, &ISO_TIME, total_ms)
}

/// `PT7D` and `P30S`, as they were meant; `None` when the units are where they belong.
fn with_t_in_its_place(date: &str, time: &str) -> Option<String> {
    match (date, time) {
        ("", time) if time.ends_with(['D', 'W', 'Y']) => Some(format!("P{time}")),
        (date, "") if date.ends_with(['H', 'S']) => {
            let end_of_days = date.find('D').map_or(0, |position| position + 1);
            let (days, rest) = date.split_at(end_of_days);
            Some(format!("P{days}T{rest}"))
        }
        _ => None,
    }
}

fn iso_part(text: &str, part: &str, units: &[(char, u64)], before_ms: u64) -> Result<u64, String> {
    let mut total_ms = before_ms;
    let mut units = units.iter();
    for (number, unit) in numbers_and_letters(part).map_err(|_| not_iso(text))? {
        let factor = units.find(|(letter, _)| unit.chars().eq([*letter])).map(|(_, factor)| *factor);
        let factor = factor.ok_or_else(|| match unit {
            "Y" | "M" => format!(
                "`{text}`: years and months have no fixed length; write days (\"P30D\"), or \"PT{number}M\" for minutes"
            ),
            _ => not_iso(text),
        })?;
        total_ms = sum_ms(text, total_ms, number, factor)?;
    }
    Ok(total_ms)
}

fn not_iso(text: &str) -> String {
    format!("`{text}` is not a length of time in ISO 8601; it looks like \"P7D\", \"PT30S\" or \"P1DT12H\"")
}

fn sum_ms(text: &str, total_ms: u64, number: &str, factor: u64) -> Result<u64, String> {
    let number: Option<u64> = number.parse().ok();
    // The journal keeps points in time as signed milliseconds.
    let sum_ms = number.and_then(|number| number.checked_mul(factor)).and_then(|ms| ms.checked_add(total_ms));
    sum_ms.filter(|ms| i64::try_from(*ms).is_ok()).ok_or_else(|| format!("`{text}` is too long"))
}

fn split_where(text: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(ends).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000;
    const HOUR: u64 = 3_600 * SECOND;
    const DAY: u64 = 24 * HOUR;

    #[test]
    fn short_forms_are_read() {
        let lengths = [
            ("500ms", 500),
            ("30s", 30 * SECOND),
            ("5m", 300 * SECOND),
            ("2h", 2 * HOUR),
            ("7d", 7 * DAY),
            ("1w", 7 * DAY),
            ("1h30m", HOUR + 1_800 * SECOND),
            ("1d 12h", DAY + 12 * HOUR),
            ("0s", 0),
        ];
        for (text, ms) in lengths {
            assert_eq!(parse_ms(text), Ok(ms), "{text}");
        }
    }

    #[test]
    fn iso_forms_are_read() {
        let lengths = [
            ("PT30S", 30 * SECOND),
            ("P7D", 7 * DAY),
            ("P1DT12H", DAY + 12 * HOUR),
            ("PT1H5M", HOUR + 300 * SECOND),
            ("P2W", 14 * DAY),
        ];
        for (text, ms) in lengths {
            assert_eq!(parse_ms(text), Ok(ms), "{text}");
        }
    }

    #[test]
    fn what_was_meant_is_named() {
        let meant = [
            ("PT7D", "`PT7D`: days stand before the `T`, hours, minutes and seconds after it: \"P7D\""),
            ("P30S", "`P30S`: days stand before the `T`, hours, minutes and seconds after it: \"PT30S\""),
            (
                "P1D12H",
                "`P1D12H`: days stand before the `T`, hours, minutes and seconds after it: \"P1DT12H\"",
            ),
            (
                "P5M",
                "`P5M`: years and months have no fixed length; write days (\"P30D\"), or \"PT5M\" for minutes",
            ),
            ("pt5m", "`pt5m`: ISO 8601 is written in capitals: \"PT5M\""),
            ("30", "`30`: the unit is missing; one of ms, s, m, h, d, w: \"30s\""),
            ("5min", "`5min`: write \"5m\""),
            ("2 hours", "`2 hours`: write \"2h\""),
            ("5x", "`5x`: `x` is no unit; the units are ms, s, m, h, d, w"),
            ("1.5h", "`1.5h`: write whole numbers with smaller units, like \"1h30m\""),
            ("30m1h", "`30m1h`: write each unit once, the larger ones first, like \"1h30m\""),
            ("-5s", "`-5s`: a length of time is never negative"),
            ("PT", "`PT`: nothing follows the `T`; \"PT30S\" is 30 seconds"),
            (
                "P7",
                "`P7` is not a length of time in ISO 8601; it looks like \"P7D\", \"PT30S\" or \"P1DT12H\"",
            ),
            ("99999999999999w", "`99999999999999w` is too long"),
        ];
        for (text, message) in meant {
            assert_eq!(parse_ms(text), Err(message.to_owned()));
        }
        assert!(parse_ms("soon").unwrap_err().starts_with("`soon` is not a length of time; write it like"));
        assert!(parse_ms("").unwrap_err().starts_with("a length of time is missing"));
    }

    #[test]
    fn zero_is_refused_where_it_means_nothing() {
        let literal = LitStr::new("0s", proc_macro2::Span::call_site());
        assert!(positive_ms(&literal).unwrap_err().to_string().contains("is zero"));
    }
}
