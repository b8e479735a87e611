//! Code in words, where it says something to people: expressions of time, and schedules.
//! It knows texts only, no graph.

use workflow_graph::humanise;

/// What a length of time is counted in, by the functions that make one.
const UNITS: [(&str, &str); 11] = [
    ("days", "days"),
    ("hours", "hours"),
    ("minutes", "minutes"),
    ("seconds", "seconds"),
    ("millis", "milliseconds"),
    ("from_days", "days"),
    ("from_hours", "hours"),
    ("from_mins", "minutes"),
    ("from_secs", "seconds"),
    ("from_secs_f64", "seconds"),
    ("from_millis", "milliseconds"),
];

/// An expression in words, where it only names something: `order.ship_at`, `days(order.grace)`, `patience(&order)`.
/// Nothing for what computes: that is no label.
pub(super) fn spoken(expression: &str) -> Option<String> {
    let expression = expression.trim();
    if let Some(words) = named(expression) {
        return Some(words);
    }
    let (function, arguments) = call(expression)?;
    let name = function.rsplit(['.', ':']).next().unwrap_or(function);
    if let Some((_, unit)) = UNITS.iter().find(|(function, _)| *function == name) {
        let number = named(arguments)?;
        let ends_so = number.to_lowercase().ends_with(unit);
        return Some(if ends_so { number } else { format!("{number} {unit}") });
    }
    named(name)
}

/// The words of something that has a name.
fn named(expression: &str) -> Option<String> {
    let names = expression.replace("()", "");
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | ':' | '&');
    let words = humanise(&names.replace("::", "."));
    (names.chars().all(is_plain) && words.chars().any(char::is_alphabetic)).then_some(words)
}

/// The function and the arguments of a single call.
fn call(expression: &str) -> Option<(&str, &str)> {
    let (function, rest) = expression.split_once('(')?;
    let arguments = rest.strip_suffix(')')?;
    let mut depth = 0_i32;
    let stays_inside = arguments.chars().all(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth >= 0
    });
    stays_inside.then_some((function, arguments))
}

/// A schedule in words, where it is one of the usual ones.
pub(super) fn schedule(cron: &str) -> String {
    let fields: Vec<&str> = cron.split_whitespace().collect();
    let number = |field: &str| field.parse::<u32>().ok();
    let [minute, hour, day, month, weekday] = fields[..] else { return "On schedule".to_owned() };
    let days = match (day, month, weekday) {
        ("*", "*", "*") => "Every day".to_owned(),
        ("*", "*", "1-5") => "Monday to Friday".to_owned(),
        ("*", "*", weekday) => match number(weekday).and_then(|day| WEEKDAYS.get(day as usize)) {
            Some(weekday) => format!("Every {weekday}"),
            None => return "On schedule".to_owned(),
        },
        (day, "*", "*") => match number(day) {
            Some(day) => format!("Day {day} of every month"),
            None => return "On schedule".to_owned(),
        },
        _ => return "On schedule".to_owned(),
    };
    match (number(hour), number(minute)) {
        (Some(hour), Some(minute)) => format!("{days} at {hour:02}:{minute:02}"),
        _ => "On schedule".to_owned(),
    }
}

/// As cron counts them.
const WEEKDAYS: [&str; 8] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_schedules_are_read_out() {
        assert_eq!(schedule("0 6 * * *"), "Every day at 06:00");
        assert_eq!(schedule("30 17 * * 1-5"), "Monday to Friday at 17:30");
        assert_eq!(schedule("0 0 * * 7"), "Every Sunday at 00:00");
        assert_eq!(schedule("15 4 1 * *"), "Day 1 of every month at 04:15");
        for other in ["*/5 * * * *", "0 6 1 1 *", "0 6 * * MON", "nonsense"] {
            assert_eq!(schedule(other), "On schedule");
        }
    }

    #[test]
    fn what_is_named_is_told_and_what_computes_is_not() {
        let told = |expression: &str| spoken(expression).unwrap_or_default();
        assert_eq!(told("order.ship_at"), "Order ship at");
        assert_eq!(told("invoice.due_date()"), "Invoice due date");
        assert_eq!(told("patience(&order)"), "Patience");
        assert_eq!(told("limits::patience(&order, 3)"), "Patience");
        assert_eq!(told("days(order.grace)"), "Order grace days");
        assert_eq!(told("days(grace_days)"), "Grace days");
        assert_eq!(told("Duration::from_secs(patience)"), "Patience seconds");
        for code in
            ["time + seconds(60)", "seconds(60) + time()", "days(2 * round)", "60", "if a { b } else { c }"]
        {
            assert_eq!(spoken(code), None, "{code}");
        }
    }
}
