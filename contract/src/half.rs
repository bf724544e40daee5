//! Numbers of 16 bits (IEEE 754 binary16), the datatype `FP16`: what is computed with them is computed in `f32`.

/// The number that the bits stand for; exact.
pub fn widen(bits: u16) -> f32 {
    let (sign, rest) = (u32::from(bits & 0x8000) << 16, u32::from(bits & 0x7fff));
    // The exponent's bias is 15 here and 127 there; the product also makes the smallest numbers right.
    let scaled = (f32::from_bits(rest << 13) * f32::from_bits((127 + 112) << 23)).to_bits();
    f32::from_bits(sign | if rest >= 0x7c00 { rest << 13 | 0x7f80_0000 } else { scaled })
}

/// The bits of the nearest number, of the even one between two; beyond 65519 infinity. Every NaN is one NaN.
pub fn narrow(x: f32) -> u16 {
    let (sign, rest) = ((x.to_bits() >> 16) as u16 & 0x8000, x.to_bits() & 0x7fff_ffff);
    let magnitude = match rest {
        0x7f80_0001.. => return 0x7e00,
        0x477f_f000.. => 0x7c00,
        // Below the least normal number: adding a half leaves units of 2⁻²⁴.
        ..0x3880_0000 => (f32::from_bits(rest) + 0.5).to_bits() - 0.5f32.to_bits(),
        _ => (rest - (112 << 23) + 0xfff + (rest >> 13 & 1)) >> 13,
    };
    sign | magnitude as u16
}

#[cfg(test)]
mod tests {
    use super::{narrow, widen};

    #[test]
    fn known_numbers() {
        for (bits, x) in
            [(0x3c00, 1.0), (0xc000, -2.0), (0x7bff, 65504.0), (0x0001, 2f32.powi(-24)), (0x0400, 2f32.powi(-14))]
        {
            assert_eq!((widen(bits), narrow(x)), (x, bits), "{x}");
        }
        assert_eq!(narrow(65519.0), 0x7bff);
        assert_eq!(narrow(65520.0), 0x7c00);
        assert_eq!(narrow(1.0 + 2f32.powi(-11)), 0x3c00, "between two: the even one");
        assert_eq!(narrow(2f32.powi(-25)), 0, "between two: the even one");
    }

    #[test]
    fn every_number_comes_back() {
        for bits in 0..=u16::MAX {
            let nan = bits & 0x7fff > 0x7c00;
            assert_eq!(narrow(widen(bits)), if nan { 0x7e00 } else { bits });
        }
    }
}
