//! A linear support vector machine on sparse features, by dual coordinate descent (Hsieh et al., ICML 2008: squared hinge loss, L2),
//! and Platt's calibration of what it says.

use super::Options;

/// A text as the columns of its known features, each once.
#[derive(Clone, Debug)]
pub(super) struct Example {
    columns: Vec<usize>,
    /// What each feature counts: one by the root of how many the text has, known or not.
    value: f32,
}

/// Weights and bias.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) weights: Vec<f32>,
    pub(super) bias: f32,
}

/// A step of the dual that is smaller counts as none.
const STEP_MIN: f32 = 1e-6;

impl Example {
    pub(super) fn new(columns: Vec<usize>, features: usize) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a count of features")]
        let value = 1.0 / (features.max(1) as f32).sqrt();
        Self { columns, value }
    }

    pub(super) fn columns(&self) -> &[usize] {
        &self.columns
    }
}

impl Line {
    pub(super) fn logit(&self, example: &Example) -> f32 {
        let sum: f32 = example.columns.iter().filter_map(|&at| self.weights.get(at)).sum();
        sum * example.value + self.bias
    }

    /// With the slope and shift that make its logits true probabilities.
    pub(super) fn calibrated(mut self, (slope, shift): (f32, f32)) -> Self {
        self.weights.iter_mut().for_each(|weight| *weight *= slope);
        self.bias = self.bias * slope + shift;
        self
    }

    /// What a weight of 1 adds, in 1/65536, and the weights in signed bytes.
    pub(super) fn quantised(&self) -> (i32, Vec<i8>) {
        let greatest = self.weights.iter().fold(0.0f32, |most, weight| most.max(weight.abs()));
        let scale = fixed(greatest / 127.0).max(1);
        #[expect(clippy::cast_precision_loss, reason = "a scale of a few thousand")]
        let unit = scale as f32 / 65_536.0;
        #[expect(clippy::cast_possible_truncation, reason = "clamped")]
        let byte = |weight: &f32| (weight / unit).round().clamp(-127.0, 127.0) as i8;
        (scale, self.weights.iter().map(byte).collect())
    }
}

/// In 1/65536.
pub(super) fn fixed(value: f32) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "clamped")]
    let fixed = (value * 65_536.0).round().clamp(-2e9, 2e9) as i32;
    fixed
}

/// Fits weights to the examples that are true, against those that are false; the others aren't looked at. `rarity` is what each
/// column is multiplied by while it is learnt: a rare feature says more, so it may weigh more for the same penalty.
pub(super) fn fit(examples: &[Example], truth: &[Option<bool>], rarity: &[f32], options: &Options) -> Line {
    let mut line = Line { weights: vec![0.0; rarity.len()], bias: 0.0 };
    let known: Vec<(&Example, bool)> =
        examples.iter().zip(truth).filter_map(|(example, truth)| Some((example, (*truth)?))).collect();
    let positives = known.iter().filter(|(_, truth)| *truth).count();
    #[expect(clippy::cast_precision_loss, reason = "counts of texts")]
    let share = |count: usize| known.len() as f32 / (2.0 * count.max(1) as f32);
    let costs = (options.cost * share(positives), options.cost * share(known.len() - positives));
    let mut points: Vec<Point> =
        known.iter().map(|(example, truth)| Point::new(example, *truth, rarity, costs)).collect();
    let mut random = options.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut order: Vec<usize> = (0..points.len()).collect();
    for _ in 0..options.epochs {
        shuffle(&mut order, &mut random);
        for &at in &order {
            if let (Some(point), Some((example, _))) = (points.get_mut(at), known.get(at)) {
                point.step(example, rarity, &mut line);
            }
        }
    }
    // What was learnt with the columns multiplied, for columns that aren't.
    for (weight, rarity) in line.weights.iter_mut().zip(rarity) {
        *weight *= rarity;
    }
    line
}

/// A text in the dual problem.
struct Point {
    /// 1 or −1.
    side: f32,
    /// How much it holds the line.
    alpha: f32,
    /// What its slack adds to the diagonal.
    slack: f32,
    /// Its diagonal.
    diagonal: f32,
}

impl Point {
    fn new(example: &Example, truth: bool, rarity: &[f32], costs: (f32, f32)) -> Self {
        let (side, cost) = if truth { (1.0, costs.0) } else { (-1.0, costs.1) };
        let slack = 0.5 / cost;
        let square = |&column: &usize| rarity.get(column).map_or(0.0, |rarity| rarity * rarity);
        let squares: f32 = example.columns.iter().map(square).sum();
        // The bias is a feature of every text, of value 1.
        let diagonal = squares * example.value * example.value + 1.0 + slack;
        Self { side, alpha: 0.0, slack, diagonal }
    }

    fn step(&mut self, example: &Example, rarity: &[f32], line: &mut Line) {
        let part = |&at: &usize| Some(line.weights.get(at)? * rarity.get(at)?);
        let sum: f32 = example.columns.iter().filter_map(part).sum();
        let gradient = self.side * (sum * example.value + line.bias) - 1.0 + self.alpha * self.slack;
        if gradient.abs() < STEP_MIN || (self.alpha <= 0.0 && gradient >= 0.0) {
            return;
        }
        let before = self.alpha;
        self.alpha = (before - gradient / self.diagonal).max(0.0);
        let change = (self.alpha - before) * self.side;
        line.bias += change;
        for &at in &example.columns {
            if let (Some(weight), Some(rarity)) = (line.weights.get_mut(at), rarity.get(at)) {
                *weight += change * example.value * rarity;
            }
        }
    }
}

/// Slope and shift of the logits that fit the truth best (Platt), by Newton's method with softened targets.
pub(super) fn calibrate(logits: &[f32], truth: &[Option<bool>]) -> (f32, f32) {
    let known = || logits.iter().zip(truth).filter_map(|(logit, truth)| Some((*logit, (*truth)?)));
    #[expect(clippy::cast_precision_loss, reason = "counts of texts")]
    let (count, positives) =
        (known().count().max(1) as f32, known().filter(|&(_, truth)| truth).count() as f32);
    let (yes, no) = ((positives + 1.0) / (positives + 2.0), 1.0 / (count - positives + 2.0));
    let (mut slope, mut shift) = (1.0f32, 0.0f32);
    for _ in 0..CALIBRATION_ROUNDS {
        // Gradient and curvature; the damping keeps a step finite where the truth is separated without a doubt.
        let (mut by_slope, mut by_shift) = (0.0f32, 0.0f32);
        let (mut slope_slope, mut slope_shift, mut shift_shift) = (DAMPING, 0.0f32, DAMPING);
        for (logit, truth) in known() {
            let found = logistic(slope * logit + shift);
            let error = found - if truth { yes } else { no };
            let curve = found * (1.0 - found);
            by_slope += error * logit;
            by_shift += error;
            slope_slope += curve * logit * logit;
            slope_shift += curve * logit;
            shift_shift += curve;
        }
        let determinant = (slope_slope * shift_shift - slope_shift * slope_shift).max(DAMPING * DAMPING);
        let slope_step = (shift_shift * by_slope - slope_shift * by_shift) / determinant;
        let shift_step = (slope_slope * by_shift - slope_shift * by_slope) / determinant;
        slope = (slope - slope_step.clamp(-STEP_MAX, STEP_MAX)).max(0.05);
        shift -= shift_step.clamp(-STEP_MAX, STEP_MAX);
    }
    (slope, shift)
}

const CALIBRATION_ROUNDS: u32 = 60;
const DAMPING: f32 = 1e-3;
const STEP_MAX: f32 = 1.0;

fn logistic(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

fn shuffle(order: &mut [usize], random: &mut u64) {
    for at in (1..order.len()).rev() {
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17;
        let other = usize::try_from(*random >> 33).unwrap_or(0) % (at + 1);
        order.swap(at, other);
    }
}
