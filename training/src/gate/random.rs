//! Random numbers that are the same everywhere: PCG-XSH-RR 64/32 (O'Neill 2014, "PCG: A Family of
//! Simple Fast Space-Efficient Statistically Good Algorithms for Random Number Generation").

/// A stream of 32-bit numbers.
#[derive(Clone, Debug)]
pub(super) struct Random {
    state: u64,
    increment: u64,
}

impl Random {
    /// The stream numbered `stream`, from `seed` on.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut random = Random { state: 0, increment: (stream << 1) | 1 };
        random.next();
        random.state = random.state.wrapping_add(seed);
        random.next();
        random
    }

    /// The next number.
    pub(super) fn next(&mut self) -> u32 {
        let old = self.state;
        self.state = old.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(self.increment);
        let shifted = (((old >> 18) ^ old) >> 27) as u32;
        shifted.rotate_right((old >> 59) as u32)
    }

    /// A number below `bound`, each as likely (Lemire 2019, "Fast Random Integer Generation in an Interval").
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        let mut product = u64::from(self.next()) * u64::from(bound);
        if (product as u32) < bound {
            let least = bound.wrapping_neg() % bound.max(1);
            while (product as u32) < least {
                product = u64::from(self.next()) * u64::from(bound);
            }
        }
        (product >> 32) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_the_reference_implementation() {
        // Output of `pcg32-demo` of the reference C implementation: seed 42, stream 54, round 1.
        let mut random = Random::new(42, 54);
        let expected = [0xa15c02b7, 0x7b47f409, 0xba1d3330, 0x83d2f293, 0xbfa4784b, 0xcbed606e];
        assert_eq!(expected.map(|_| random.next()), expected);
    }

    #[test]
    fn below_reaches_every_number_alike() {
        let mut random = Random::new(1, 1);
        let mut counts = [0u32; 6];
        (0..60_000).for_each(|_| counts[random.below(6) as usize] += 1);
        assert!(counts.iter().all(|count| (9_600..10_400).contains(count)), "{counts:?}");
    }
}
