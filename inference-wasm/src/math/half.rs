//! Numbers of 16 bits as the bits that they are stored as: to f32, and to the nearest of them. The steps are those of
//! `contract::half`.

use super::Maker;
use super::program::{Bin, Kind, Un, Var};

impl Maker {
    /// The f32 of the bits in an i32.
    pub fn from_half(&mut self, x: Var) -> Var {
        let (sign_bit, magnitude, infinity) = (self.i32(0x8000), self.i32(0x7fff), self.i32(0x7c00));
        let (thirteen, sixteen, exponent) = (self.i32(13), self.i32(16), self.i32(0x7f80_0000));
        let sign = self.and(x, sign_bit);
        let sign = self.bin(Bin::Shl, sign, sixteen);
        let rest = self.and(x, magnitude);
        let shifted = self.bin(Bin::Shl, rest, thirteen);
        let special = self.or(shifted, exponent);
        let (scale, number) = (self.number(Kind::F32, 2f64.powi(112)), self.un(Un::FromBits, shifted));
        let scaled = self.mul(number, scale);
        let scaled = self.un(Un::Bits, scaled);
        let finite = self.lt(rest, infinity);
        let chosen = self.select(finite, scaled, special);
        let bits = self.or(sign, chosen);
        self.un(Un::FromBits, bits)
    }

    /// The bits nearest to an f32, in an i32.
    pub fn to_half(&mut self, x: Var) -> Var {
        let bits = self.un(Un::Bits, x);
        let (sixteen, sign_bit, magnitude) = (self.i32(16), self.i32(0x8000), self.i32(0x7fff_ffff));
        let sign = self.bin(Bin::ShrU, bits, sixteen);
        let sign = self.and(sign, sign_bit);
        let rest = self.and(bits, magnitude);
        // Normal numbers: the exponent's bias changed, thirteen bits rounded off.
        let (bias, thirteen, one) = (self.i32(0xfff - (112 << 23)), self.i32(13), self.i32(1));
        let odd = self.bin(Bin::ShrU, rest, thirteen);
        let odd = self.and(odd, one);
        let near = self.add(rest, bias);
        let near = self.add(near, odd);
        let normal = self.bin(Bin::ShrU, near, thirteen);
        // Small ones: beside a half there is room for units of 2⁻²⁴.
        let (half, half_bits) = (self.number(Kind::F32, 0.5), self.i32(0.5f32.to_bits() as i32));
        let small = self.un(Un::FromBits, rest);
        let small = self.add(small, half);
        let small = self.un(Un::Bits, small);
        let small = self.sub(small, half_bits);
        let (least, beyond, infinity) = (self.i32(0x3880_0000), self.i32(0x477f_efff), self.i32(0x7c00));
        let is_small = self.lt(rest, least);
        let chosen = self.select(is_small, small, normal);
        let is_large = self.lt(beyond, rest);
        let chosen = self.select(is_large, infinity, chosen);
        let signed = self.or(sign, chosen);
        let (same, nan) = (self.eq(x, x), self.i32(0x7e00));
        self.select(same, signed, nan)
    }
}
