//! Builds graphs: each method adds a node whose shape and type follow from its operands.
//!
//! Operands are trusted: `verify` finds what does not fit.

use std::sync::Arc;

use super::{Binary, Bytes, Graph, Id, Lookup, Node, Op, Reduce, Trees, Type, Unary};

#[allow(missing_docs)] // one word each: the operator of that name
impl Graph {
    /// Adds a node.
    pub fn push(&mut self, op: Op, inputs: &[Id], shape: &[usize], ty: Type, name: &str) -> Id {
        let id = Id(self.nodes.len() as u32);
        self.nodes.push(Node { op, inputs: inputs.to_vec(), shape: shape.to_vec(), ty, name: name.to_owned() });
        id
    }

    /// The node that makes a value.
    pub fn node(&self, id: Id) -> &Node {
        &self.nodes[id.index()]
    }

    /// The bytes of a constant.
    pub fn constant_bytes(&self, id: Id) -> Option<&[u8]> {
        match &self.node(id).op {
            Op::Const(bytes) => Some(&bytes.0),
            _ => None,
        }
    }

    /// How often each value is used by nodes and outputs.
    pub fn uses(&self) -> Vec<usize> {
        let mut uses = vec![0; self.nodes.len()];
        for id in self.nodes.iter().flat_map(|n| &n.inputs).chain(&self.outputs) {
            uses[id.index()] += 1;
        }
        uses
    }

    pub fn input(&mut self, shape: &[usize], ty: Type, name: &str) -> Id {
        let id = self.push(Op::Input(self.inputs.len()), &[], shape, ty, name);
        self.inputs.push(id);
        id
    }

    pub fn constant(&mut self, bytes: Vec<u8>, shape: &[usize], ty: Type) -> Id {
        self.push(Op::Const(bytes.into()), &[], shape, ty, "")
    }

    pub fn f32s(&mut self, values: &[f32], shape: &[usize]) -> Id {
        self.constant(values.iter().flat_map(|v| v.to_le_bytes()).collect(), shape, Type::F32)
    }

    pub fn i64s(&mut self, values: &[i64], shape: &[usize]) -> Id {
        self.constant(values.iter().flat_map(|v| v.to_le_bytes()).collect(), shape, Type::I64)
    }

    pub fn unary(&mut self, op: Unary, x: Id) -> Id {
        let Node { shape, ty, .. } = self.node(x).clone();
        let ty = match op {
            Unary::IsNan | Unary::Not => Type::Bool,
            Unary::FromHalf => Type::F32,
            Unary::ToHalf => Type::U16,
            Unary::Bits => {
                if ty == Type::F32 {
                    Type::I32
                } else {
                    Type::I64
                }
            }
            Unary::FromBits => {
                if ty == Type::I32 {
                    Type::F32
                } else {
                    Type::F64
                }
            }
            _ => ty,
        };
        self.push(Op::Unary(op), &[x], &shape, ty, "")
    }

    pub fn binary(&mut self, op: Binary, a: Id, b: Id) -> Id {
        let shape = broadcast(&[&self.node(a).shape, &self.node(b).shape]).unwrap_or_default();
        let comparison = matches!(op, Binary::Equal | Binary::Less | Binary::LessEqual);
        let ty = if comparison { Type::Bool } else { self.node(a).ty };
        self.push(Op::Binary(op), &[a, b], &shape, ty, "")
    }

    pub fn select(&mut self, condition: Id, a: Id, b: Id) -> Id {
        let shapes = [&self.node(condition).shape[..], &self.node(a).shape, &self.node(b).shape];
        let shape = broadcast(&shapes).unwrap_or_default();
        self.push(Op::Select, &[condition, a, b], &shape, self.node(a).ty, "")
    }

    pub fn cast(&mut self, x: Id, ty: Type) -> Id {
        let shape = self.node(x).shape.clone();
        self.push(Op::Cast, &[x], &shape, ty, "")
    }

    pub fn matmul(&mut self, a: Id, b: Id) -> Id {
        let shape = matmul_shape(&self.node(a).shape, &self.node(b).shape).unwrap_or_default();
        self.push(Op::MatMul, &[a, b], &shape, self.node(a).ty, "")
    }

    pub fn reduce(&mut self, op: Reduce, x: Id, axes: &[usize]) -> Id {
        let Node { mut shape, ty, .. } = self.node(x).clone();
        axes.iter().for_each(|a| shape[*a] = 1);
        self.push(Op::Reduce(op, axes.to_vec()), &[x], &shape, ty, "")
    }

    pub fn arg_extreme(&mut self, x: Id, axis: usize, least: bool, last: bool) -> Id {
        let mut shape = self.node(x).shape.clone();
        shape[axis] = 1;
        self.push(Op::ArgExtreme { axis, least, last }, &[x], &shape, Type::I64, "")
    }

    pub fn softmax(&mut self, x: Id, axis: usize) -> Id {
        let Node { shape, ty, .. } = self.node(x).clone();
        self.push(Op::Softmax { axis }, &[x], &shape, ty, "")
    }

    pub fn gather(&mut self, data: Id, indices: Id, axis: usize) -> Id {
        let (data_shape, index_shape) = (&self.node(data).shape, &self.node(indices).shape);
        let shape = [&data_shape[..axis], index_shape, &data_shape[axis + 1..]].concat();
        self.push(Op::Gather { axis }, &[data, indices], &shape, self.node(data).ty, "")
    }

    pub fn slice(&mut self, x: Id, axis: usize, start: usize, step: isize, count: usize) -> Id {
        let Node { mut shape, ty, .. } = self.node(x).clone();
        shape[axis] = count;
        self.push(Op::Slice { axis, start, step }, &[x], &shape, ty, "")
    }

    pub fn concat(&mut self, parts: &[Id], axis: usize) -> Id {
        let Node { mut shape, ty, .. } = self.node(parts[0]).clone();
        shape[axis] = parts.iter().map(|p| self.node(*p).shape[axis]).sum();
        self.push(Op::Concat { axis }, parts, &shape, ty, "")
    }

    pub fn reshape(&mut self, x: Id, shape: &[usize]) -> Id {
        self.push(Op::Reshape, &[x], shape, self.node(x).ty, "")
    }

    pub fn transpose(&mut self, x: Id, perm: &[usize]) -> Id {
        let shape: Vec<usize> = perm.iter().map(|p| self.node(x).shape[*p]).collect();
        self.push(Op::Transpose { perm: perm.to_vec() }, &[x], &shape, self.node(x).ty, "")
    }

    pub fn broadcast(&mut self, x: Id, shape: &[usize]) -> Id {
        self.push(Op::Broadcast, &[x], shape, self.node(x).ty, "")
    }

    pub fn trees(&mut self, x: Id, trees: Trees) -> Id {
        let (targets, ty) = (trees.targets, if trees.double { Type::F64 } else { Type::F32 });
        self.push(Op::Trees(Arc::new(trees)), &[x], &[targets], ty, "")
    }

    pub fn lookup(&mut self, x: Id, lookup: Lookup, ty: Type) -> Id {
        let shape = self.node(x).shape.clone();
        self.push(Op::Lookup(Arc::new(lookup)), &[x], &shape, ty, "")
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Bytes {
        Bytes(bytes.into())
    }
}

/// The common shape, as numpy broadcasts.
pub fn broadcast(shapes: &[&[usize]]) -> Option<Vec<usize>> {
    let rank = shapes.iter().map(|s| s.len()).max()?;
    let mut common = vec![1; rank];
    for shape in shapes {
        for (have, want) in common[rank - shape.len()..].iter_mut().zip(*shape) {
            match (*have, *want) {
                (a, b) if a == b => {}
                (1, b) => *have = b,
                (_, 1) => {}
                _ => return None,
            }
        }
    }
    Some(common)
}

/// Shape of `[.., m, k] · [.., k, n]`; both have two axes or more.
pub fn matmul_shape(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    if a.len() < 2 || b.len() < 2 || a[a.len() - 1] != b[b.len() - 2] {
        return None;
    }
    let mut shape = broadcast(&[&a[..a.len() - 2], &b[..b.len() - 2]])?;
    shape.extend([a[a.len() - 2], b[b.len() - 1]]);
    Some(shape)
}

/// Elements to skip for one step along each axis of a row-major shape.
pub fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for i in (1..shape.len()).rev() {
        strides[i - 1] = strides[i] * shape[i];
    }
    strides
}

/// The same for an operand of `shape` that is broadcast to `to`: 0 along the axes it lacks.
pub fn broadcast_strides(shape: &[usize], to: &[usize]) -> Vec<usize> {
    let mut result = vec![0; to.len()];
    let skip = to.len() - shape.len();
    for (axis, stride) in strides(shape).into_iter().enumerate() {
        result[skip + axis] = if shape[axis] == 1 { 0 } else { stride };
    }
    result
}
