//! Random numbers that a seed repeats.

use std::time::Duration;

/// SplitMix64: enough to be somewhere else each time, and the same with the same seed.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice that repeat with the same seed and the same path (which worker, which task, …).
    #[must_use]
    pub fn new(seed: u64, path: &[u64]) -> Self {
        let mut dice = Self(seed);
        for step in path {
            dice.0 = dice.roll() ^ step.wrapping_mul(0xd6e8_feb8_6659_fd93);
        }
        dice
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.roll() % limit.max(1)
    }

    /// One of them; `None` only if there is none.
    pub fn pick<'a, T>(&mut self, among: &'a [T]) -> Option<&'a T> {
        let count = u64::try_from(among.len()).unwrap_or(u64::MAX);
        among.get(usize::try_from(self.below(count)).unwrap_or_default())
    }

    /// A duration between two numbers of microseconds.
    pub fn micros(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_micros(from + self.below(to.saturating_sub(from)))
    }

    /// A duration between two numbers of milliseconds.
    pub fn millis(&mut self, from: u64, to: u64) -> Duration {
        self.micros(from * 1000, to * 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::Dice;

    #[test]
    fn a_seed_repeats_and_a_path_differs() {
        let rolls = |path| {
            let mut dice = Dice::new(7, path);
            (0..4).map(|_| dice.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(rolls(&[1, 2]), rolls(&[1, 2]));
        assert_ne!(rolls(&[1, 2]), rolls(&[1, 3]));
    }
}
