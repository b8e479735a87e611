//! The value below which a share of all values lies.
//! Knows numbers only.

/// The value at this share (0.5 for the median) of the values in their order; 0 when there are none.
pub fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * share).round() as usize).copied().unwrap_or_default()
}

#[test]
fn the_median_of_an_odd_number_of_values_is_the_middle_one() {
    assert_eq!(percentile(&[3.0, 1.0, 2.0], 0.5), 2.0);
    assert_eq!(percentile(&[3.0, 1.0, 2.0], 1.0), 3.0);
    assert_eq!(percentile(&[], 0.5), 0.0);
}
