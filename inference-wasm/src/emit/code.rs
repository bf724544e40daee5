//! The body of one function in the making: instructions, and locals that are used again.

use wasm_encoder::{BlockType, Function, InstructionSink, MemArg, ValType};

use crate::Error;
use crate::graph::Type;
use crate::math::Kind;

/// A function of one parameter, the row's number (local 0).
#[derive(Default)]
pub struct Code {
    bytes: Vec<u8>,
    locals: Vec<ValType>,
    free: Vec<u32>,
    row_pointers: Vec<(u32, u32)>,
}

/// A place in memory: what a local holds (or 0) plus a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// Local of type i32.
    pub pointer: Option<u32>,
    /// Added to it.
    pub offset: i64,
}

impl Address {
    /// `bytes` further on.
    pub fn plus(self, bytes: i64) -> Address {
        Address { offset: self.offset + bytes, ..self }
    }
}

/// Stores take their address first; this holds the rest of it until the value is there.
#[must_use]
pub struct Store(u64);

impl Code {
    /// Adds instructions.
    pub fn i(&mut self) -> InstructionSink<'_> {
        InstructionSink::new(&mut self.bytes)
    }

    /// Bytes of instructions so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// A local of the type; give it back with [`Code::release`].
    pub fn local(&mut self, ty: ValType) -> u32 {
        if let Some(n) = self.free.iter().position(|l| self.locals[*l as usize - 1] == ty) {
            return self.free.remove(n);
        }
        self.locals.push(ty);
        self.locals.len() as u32
    }

    /// The local's value is not needed any more.
    pub fn release(&mut self, local: u32) {
        debug_assert!(!self.free.contains(&local));
        self.free.push(local);
    }

    /// A local that holds the row's number times `bytes`, the same for the whole function.
    pub fn row_pointer(&mut self, bytes: u32) -> u32 {
        if let Some((_, local)) = self.row_pointers.iter().find(|(b, _)| *b == bytes) {
            return *local;
        }
        // A new one: it is set at the function's start, and what is free was used since.
        self.locals.push(ValType::I32);
        let local = self.locals.len() as u32;
        self.row_pointers.push((bytes, local));
        local
    }

    /// `body` `n` times over.
    pub fn times(&mut self, n: usize, mut body: impl FnMut(&mut Code)) {
        match n {
            0 => {}
            1 => body(self),
            _ => {
                let left = self.local(ValType::I32);
                self.i().i32_const(n as i32).local_set(left);
                self.i().loop_(BlockType::Empty);
                body(self);
                self.i().local_get(left).i32_const(1).i32_sub().local_tee(left).br_if(0).end();
                self.release(left);
            }
        }
    }

    /// `local += bytes`.
    pub fn advance(&mut self, local: u32, bytes: i64) {
        if bytes != 0 {
            self.i().local_get(local).i32_const(bytes as i32).i32_add().local_set(local);
        }
    }

    /// Pushes the address, but for the constant that it returns.
    fn push(&mut self, at: Address) -> u64 {
        match at.pointer {
            Some(local) if at.offset < 0 => {
                self.i().local_get(local).i32_const(at.offset as i32).i32_add();
                0
            }
            Some(local) => {
                self.i().local_get(local);
                at.offset as u64
            }
            None => {
                self.i().i32_const(0);
                at.offset as u64
            }
        }
    }

    /// Pushes the element at `at` (a boolean as i32).
    pub fn load(&mut self, ty: Type, at: Address) {
        let offset = self.push(at);
        let memory = memarg(offset, ty.bytes());
        match ty {
            Type::Bool | Type::U8 => self.i().i32_load8_u(memory),
            Type::I8 => self.i().i32_load8_s(memory),
            Type::U16 => self.i().i32_load16_u(memory),
            Type::I16 => self.i().i32_load16_s(memory),
            Type::I32 => self.i().i32_load(memory),
            Type::U32 => self.i().i64_load32_u(memory),
            Type::I64 | Type::U64 => self.i().i64_load(memory),
            Type::F32 => self.i().f32_load(memory),
            Type::F64 => self.i().f64_load(memory),
        };
    }

    /// Pushes the address of a store.
    pub fn begin_store(&mut self, at: Address) -> Store {
        Store(self.push(at))
    }

    /// Stores the value on the stack.
    pub fn store(&mut self, ty: Type, Store(offset): Store) {
        let memory = memarg(offset, ty.bytes());
        match ty {
            Type::Bool | Type::I8 | Type::U8 => self.i().i32_store8(memory),
            Type::I16 | Type::U16 => self.i().i32_store16(memory),
            Type::I32 => self.i().i32_store(memory),
            Type::U32 => self.i().i64_store32(memory),
            Type::I64 | Type::U64 => self.i().i64_store(memory),
            Type::F32 => self.i().f32_store(memory),
            Type::F64 => self.i().f64_store(memory),
        };
    }

    /// Pushes sixteen bytes.
    pub fn load_vector(&mut self, at: Address) {
        let offset = self.push(at);
        self.i().v128_load(memarg(offset, 4));
    }

    /// Pushes four copies of the four bytes at `at`.
    pub fn load_splat(&mut self, at: Address) {
        let offset = self.push(at);
        self.i().v128_load32_splat(memarg(offset, 4));
    }

    /// Stores the sixteen bytes on the stack.
    pub fn store_vector(&mut self, Store(offset): Store) {
        self.i().v128_store(memarg(offset, 4));
    }

    /// Pushes a constant of the kind.
    pub fn constant(&mut self, kind: Kind, bits: u64) {
        match kind {
            Kind::I32 => self.i().i32_const(bits as u32 as i32),
            Kind::I64 => self.i().i64_const(bits as i64),
            Kind::F32 => self.i().f32_const(wasm_encoder::Ieee32::new(bits as u32)),
            Kind::F64 => self.i().f64_const(wasm_encoder::Ieee64::new(bits)),
        };
    }

    /// Sums of products fused, and how many: see [`super::relax`].
    pub fn relaxed(self) -> Result<(Code, usize), Error> {
        let (bytes, fused) = super::relax::relax(&self.bytes)?;
        Ok((Code { bytes, ..self }, fused))
    }

    /// The finished function.
    pub fn finish(self) -> Function {
        let mut function = Function::new_with_locals_types(self.locals);
        let mut start = Vec::new();
        for (bytes, local) in self.row_pointers {
            let mut i = InstructionSink::new(&mut start);
            i.local_get(0).i32_const(bytes as i32).i32_mul().local_set(local);
        }
        function.raw(start).raw(self.bytes);
        function.instructions().end();
        function
    }
}

/// The local's type for a kind.
pub fn val_type(kind: Kind) -> ValType {
    match kind {
        Kind::I32 => ValType::I32,
        Kind::I64 => ValType::I64,
        Kind::F32 => ValType::F32,
        Kind::F64 => ValType::F64,
    }
}

/// An access of `bytes` bytes at a constant offset.
pub fn memarg(offset: u64, bytes: usize) -> MemArg {
    MemArg { offset, align: bytes.trailing_zeros(), memory_index: 0 }
}
