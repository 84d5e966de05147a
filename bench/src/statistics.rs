//! Medians, and medians of same-round ratios.

/// Returns the median, or None if there are no values.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

/// Returns the median of the ratios within each round. A machine that is slow for a while is slow for both values of a
/// round, so that this varies less than the ratio of the medians.
pub(crate) fn median_ratio(values: &[(u32, f64)], baseline: &[(u32, f64)]) -> Option<f64> {
    let ratios = values.iter().filter_map(|(round, value)| {
        let (_, base) = baseline.iter().find(|(other, _)| other == round)?;
        Some(value / base).filter(|ratio| ratio.is_finite())
    });
    median(ratios.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_value() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0]), Some(3.0));
        assert_eq!(median(vec![9.0, 1.0, 3.0]), Some(3.0));
        assert_eq!(median(vec![9.0, 1.0, 3.0, 5.0]), Some(4.0));
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        // The machine becomes slower from round to round, for both.
        let ours = [(0, 50.0), (1, 20.0), (2, 5.0)];
        assert_eq!(median_ratio(&ours, &[(0, 100.0), (1, 40.0), (2, 10.0)]), Some(0.5));
        // The ratio of the medians would be 0.5 here, too.
        assert_eq!(median_ratio(&ours, &[(0, 10.0), (1, 100.0), (2, 40.0)]), Some(0.2));
    }

    #[test]
    fn a_round_with_one_value_does_not_count() {
        assert_eq!(median_ratio(&[(0, 4.0), (1, 1.0)], &[(1, 2.0), (2, 9.0)]), Some(0.5));
        assert_eq!(median_ratio(&[(0, 4.0)], &[(1, 2.0)]), None);
        assert_eq!(median_ratio(&[(0, 4.0), (1, 3.0)], &[(0, 0.0), (1, 1.0)]), Some(3.0));
    }
}
