//! What a translation of one node writes: operators, constants, shapes.

use super::{Context, Layout, Stop};
use crate::Error;
use crate::graph::{Binary, Bytes, Id, Op, Pad, Type, Unary};

impl Context<'_, '_> {
    /// A node of the result's layout.
    pub(super) fn result(&mut self, op: Op, inputs: Vec<Id>) -> Id {
        let out = self.out.clone();
        self.importer.push(&out, op, inputs, self.name)
    }

    /// A node of another shape.
    pub(super) fn shaped(&mut self, op: Op, inputs: Vec<Id>, shape: Vec<usize>, ty: Type) -> Id {
        self.importer.push(&Layout { ty, shape, rows: None, merged: false }, op, inputs, self.name)
    }

    /// The same elements under another shape; nothing to do where it has it.
    pub(super) fn reshape(&mut self, id: Id, shape: &[usize]) -> Id {
        let node = &self.importer.graph.nodes[id.index()];
        if node.shape == shape {
            return id;
        }
        let ty = node.ty;
        if let Op::Const(bytes) = &node.op {
            let op = Op::Const(bytes.clone());
            return self.shaped(op, vec![], shape.to_vec(), ty);
        }
        self.shaped(Op::Reshape, vec![id], shape.to_vec(), ty)
    }

    /// Integers as a constant.
    pub(super) fn integers(&mut self, values: &[i64], shape: Vec<usize>) -> Id {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.shaped(Op::Const(Bytes(bytes.into())), vec![], shape, Type::I64)
    }

    /// Numbers as a constant of type `ty`.
    pub(super) fn numbers(&mut self, values: &[f64], shape: Vec<usize>, ty: Type) -> Id {
        let bytes: Vec<u8> = values.iter().flat_map(|v| ty.number(*v)).collect();
        self.shaped(Op::Const(Bytes(bytes.into())), vec![], shape, ty)
    }

    /// One operand, element by element.
    pub(super) fn one(&mut self, op: Unary, x: Id) -> Id {
        let id = self.importer.graph.unary(op, x);
        self.named(id)
    }

    /// Two operands, broadcast.
    pub(super) fn both(&mut self, op: Binary, a: Id, b: Id) -> Id {
        let id = self.importer.graph.binary(op, a, b);
        self.named(id)
    }

    /// `condition ? a : b`, broadcast.
    pub(super) fn choose(&mut self, condition: Id, a: Id, b: Id) -> Id {
        let id = self.importer.graph.select(condition, a, b);
        self.named(id)
    }

    fn named(&mut self, id: Id) -> Id {
        self.importer.graph.nodes[id.index()].name = self.name.to_owned();
        id
    }

    /// One number to go with the result.
    pub(super) fn number(&mut self, value: f64) -> Id {
        let ty = self.out.ty;
        self.numbers(&[value], vec![], ty)
    }

    /// Integers as I64.
    pub(super) fn wide(&mut self, id: Id) -> Id {
        let node = &self.importer.graph.nodes[id.index()];
        if node.ty == Type::I64 {
            return id;
        }
        let shape = node.shape.clone();
        self.shaped(Op::Cast, vec![id], shape, Type::I64)
    }

    /// U64 as I64 of the same order; anything else as it is.
    pub(super) fn signed(&mut self, id: Id) -> Id {
        let node = &self.importer.graph.nodes[id.index()];
        if node.ty != Type::U64 {
            return id;
        }
        let shape = node.shape.clone();
        let half = Op::Const(Bytes((1u64 << 63).to_le_bytes().as_slice().into()));
        let half = self.shaped(half, vec![], vec![], Type::U64);
        let turned = self.both(Binary::BitXor, id, half);
        self.shaped(Op::Cast, vec![turned], shape, Type::I64)
    }

    /// I64 positions, negative ones counted from the end: `dim`, which broadcasts to them, added.
    pub(super) fn wrapped(&mut self, id: Id, dim: Id) -> Id {
        let shape = self.importer.graph.nodes[id.index()].shape.clone();
        let zero = self.integers(&[0], vec![]);
        let negative = self.shaped(Op::Binary(Binary::Less), vec![id, zero], shape.clone(), Type::Bool);
        let turned = self.shaped(Op::Binary(Binary::Add), vec![id, dim], shape.clone(), Type::I64);
        self.shaped(Op::Select, vec![negative, turned, id], shape, Type::I64)
    }

    /// The value with others around and between its elements; `value` is the bits of one of them.
    pub(super) fn pad(&mut self, id: Id, before: Vec<usize>, between: Vec<usize>, shape: Vec<usize>, value: u64) -> Id {
        let ty = self.importer.graph.nodes[id.index()].ty;
        let value = Bytes(value.to_le_bytes()[..ty.bytes()].into());
        self.shaped(Op::Pad(Box::new(Pad { before, between, value })), vec![id], shape, ty)
    }

    /// The axes in another order; nothing to do where that is the order.
    pub(super) fn transpose(&mut self, id: Id, perm: &[usize]) -> Id {
        if perm.iter().enumerate().all(|(i, p)| i == *p) {
            return id;
        }
        let node = &self.importer.graph.nodes[id.index()];
        let (shape, ty) = (perm.iter().map(|p| node.shape[*p]).collect(), node.ty);
        self.shaped(Op::Transpose { perm: perm.to_vec() }, vec![id], shape, ty)
    }

    /// Operand 1 is said to hold positions: tract takes numbers of every kind for them, ONNX integers alone.
    pub fn positions(&self) -> Result<(), Stop> {
        if self.facts[1].datum_type.is_float() { Err(self.wrong("has positions that are no integers")) } else { Ok(()) }
    }

    /// Operand `i` beside operands whose rows stand at the result's rows axis: one that has no rows
    /// must have a single element there, and loses that axis.
    pub(super) fn aligned(&mut self, i: usize) -> Result<Id, Stop> {
        let value = self.inputs[i].clone();
        match (value.layout.rows, self.out.rows) {
            (None, None) => Ok(value.id),
            (a, b) if a == b && value.layout.merged == self.out.merged => Ok(value.id),
            (None, Some(rows)) if self.out.merged && value.layout.shape.get(rows) == Some(&1) => Ok(value.id),
            (None, Some(rows)) if !self.out.merged && value.layout.shape.get(rows) == Some(&1) => {
                let mut shape = value.layout.shape;
                shape.remove(rows);
                Ok(self.reshape(value.id, &shape))
            }
            _ => Err(Stop::Mixes),
        }
    }

    pub(super) fn wrong(&self, what: impl Into<String>) -> Stop {
        Error::invalid(format!("node {:?}", self.name), what).into()
    }

    pub(super) fn unsupported(&self, what: &str) -> Stop {
        let help = "express it with supported operators when exporting";
        Error::unsupported(format!("node {:?}", self.name), what, help).into()
    }
}
