//! tract's core operators to the compiler's graph, the rows axis stripped and proved to be one.
//!
//! The symbol of the rows stands in the shape of every value that has rows, exactly once. Each
//! operator is let through only where it treats that axis as a batch: no sum, maximum, slice,
//! concatenation or lookup runs along it. Then a row of the answer depends on one row of the
//! inputs alone.

use std::collections::HashMap;

use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::array::{
    CumSum, Gather, GatherElements, GatherNd, MultiBroadcastTo, OneHot as TractOneHot, Pad as TractPad,
    ScatterElements, ScatterNd, Slice, Tile, Topk, Trilu, TypedConcat,
};
use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::cast::Cast;
use tract_onnx::tract_core::ops::change_axes::AxisOp;
use tract_onnx::tract_core::ops::cnn::{Conv, Deconv, MaxPool, SumPool};
use tract_onnx::tract_core::ops::downsample::Downsample;
use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use tract_onnx::tract_core::ops::identity::Identity;
use tract_onnx::tract_core::ops::logic::{IfThenElse, Iff};
use tract_onnx::tract_core::ops::lstm_cell::LstmEpilogue;
use tract_onnx::tract_core::ops::nn::grid_sample::GridSample;
use tract_onnx::tract_core::ops::nn::{Reduce, Softmax};
use tract_onnx::tract_core::ops::scan::Scan;
use tract_onnx::tract_core::ops::source::TypedSource;
use tract_onnx::tract_hir::internal::*;
use tract_onnx_opl::lrn::Lrn;
use tract_onnx_opl::resize::Resize;

use super::ml;
use super::typed::{Typed, caught};
use crate::Error;
use crate::graph::{Bytes, Graph, Id, Node, Op, Type, Unary};

mod axes;
mod binary;
mod broadcast;
mod concat;
mod context;
mod conv;
mod einsum;
mod element;
mod gather;
mod lstm;
mod order;
mod own;
mod pad;
mod pool;
mod positions;
mod reduce;
mod repeat;
mod resize;
mod sample;
mod scan;
mod slice;
mod softmax;
mod winograd;

/// Why an import ends.
pub enum Stop {
    /// Rows meet: the model is not row-wise.
    Mixes,
    /// It cannot be compiled.
    Wrong(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Stop::Wrong(error)
    }
}

impl From<TractError> for Stop {
    fn from(error: TractError) -> Self {
        Stop::Wrong(Error::bug(format!("{error:#}")))
    }
}

/// A graph with what its outputs look like outside.
pub struct Imported {
    /// The graph.
    pub graph: Graph,
    /// True when the rows axis is stripped.
    pub row_wise: bool,
    /// One for each output of the model.
    pub outputs: Vec<Output>,
}

/// An output of the graph.
pub struct Output {
    /// Type in tract.
    pub ty: DatumType,
    /// Shape without the rows axis.
    pub shape: Vec<usize>,
    /// Whether it is FLOAT16 outside, F32 within.
    pub half: bool,
    /// Where tract has the rows axis.
    pub rows: Option<usize>,
}

/// Translates every node that an output needs, and every input; those that are FLOAT16 outside are told.
pub fn import(typed: &Typed, inputs: &[bool], outputs: &[bool]) -> Result<Imported, Stop> {
    let stopped = || Err(Stop::Wrong(Error::contradiction("the translation to the compiler's own graph stopped")));
    caught(|| translated(typed, inputs, outputs)).unwrap_or_else(stopped)
}

fn translated(typed: &Typed, half_inputs: &[bool], half_outputs: &[bool]) -> Result<Imported, Stop> {
    let model = &typed.model;
    let mut importer = Importer { rows: typed.rows.as_ref(), graph: Graph::default(), values: HashMap::new() };
    for (i, outlet) in model.input_outlets()?.iter().enumerate() {
        let name = &model.node(outlet.node).name;
        let layout = importer.layout(model.outlet_fact(*outlet)?, name)?;
        let half = half_inputs.get(i) == Some(&true);
        let outside = Layout { ty: if half { Type::U16 } else { layout.ty }, ..layout.clone() };
        let mut id = importer.push(&outside, Op::Input(i), vec![], name);
        importer.graph.inputs.push(id);
        if half {
            id = importer.push(&layout, Op::Unary(Unary::FromHalf), vec![id], name);
        }
        importer.values.insert(*outlet, Value { id, layout });
    }
    for n in model.eval_order()? {
        importer.node(model, model.node(n))?;
    }
    let mut outputs = Vec::new();
    for (i, outlet) in model.output_outlets()?.iter().enumerate() {
        // The number of rows itself is no value.
        let name = &model.node(outlet.node).name;
        let value = importer.values.get(outlet).cloned().ok_or_else(|| importer.depends(name))?;
        if value.layout.merged {
            // Outside, rows need an axis of their own.
            return Err(Stop::Mixes);
        }
        let half = half_outputs.get(i) == Some(&true) && value.layout.ty == Type::F32;
        let id = if half {
            let layout = Layout { ty: Type::U16, ..value.layout.clone() };
            importer.push(&layout, Op::Unary(Unary::ToHalf), vec![value.id], &model.node(outlet.node).name)
        } else {
            value.id
        };
        importer.graph.outputs.push(id);
        let ty = model.outlet_fact(*outlet)?.datum_type;
        outputs.push(Output { ty, half, shape: value.layout.shape, rows: value.layout.rows });
    }
    Ok(Imported { graph: importer.graph, row_wise: typed.rows.is_some(), outputs })
}

/// Type and shape of a value, the rows axis taken out of the shape.
#[derive(Clone, Debug)]
struct Layout {
    ty: Type,
    shape: Vec<usize>,
    rows: Option<usize>,
    /// True when one axis holds `c` elements of each row, row after row (`[rows, c]` flattened);
    /// it then stays in the shape with length `c`.
    merged: bool,
}

impl Layout {
    /// Number of axes, that of the rows included.
    fn rank(&self) -> usize {
        self.shape.len() + usize::from(self.rows.is_some() && !self.merged)
    }

    /// Position of tract's axis `axis` in the shape without rows; `None` for the rows axis itself.
    fn position(&self, axis: usize) -> Option<usize> {
        match self.rows {
            Some(rows) if rows == axis && !self.merged => None,
            Some(rows) if rows < axis && !self.merged => Some(axis - 1),
            _ => Some(axis),
        }
    }

    /// Position of tract's axis `axis` in the shape without rows; an error where it is the rows axis.
    fn strip(&self, axis: usize) -> Result<usize, Stop> {
        if axis >= self.rank() {
            let what = format!("axis {axis} of a value with {} axes", self.rank());
            return Err(Stop::Wrong(Error::invalid("the model does not hold together", what)));
        }
        if self.rows == Some(axis) { Err(Stop::Mixes) } else { self.position(axis).ok_or(Stop::Mixes) }
    }
}

#[derive(Clone, Debug)]
struct Value {
    id: Id,
    layout: Layout,
}

struct Importer<'m> {
    rows: Option<&'m Symbol>,
    graph: Graph,
    values: HashMap<OutletId, Value>,
}

/// One node under translation.
struct Context<'a, 'm> {
    importer: &'a mut Importer<'m>,
    name: &'a str,
    inputs: Vec<Value>,
    /// Layout of the result.
    out: Layout,
    /// tract's facts of the operands, with the rows' symbol in the shapes.
    facts: Vec<&'a TypedFact>,
    /// Which of the node's results is asked for.
    slot: usize,
}

impl<'m> Importer<'m> {
    fn node(&mut self, model: &TypedModel, node: &TypedNode) -> Result<(), Stop> {
        if node.op_is::<TypedSource>() {
            return Ok(());
        }
        let mut made: Option<Vec<Value>> = None; // by what makes all of its results at once
        for (slot, output) in node.outputs.iter().enumerate() {
            let outlet = OutletId::new(node.id, slot);
            let value = if let Some(value) = &output.fact.konst {
                // Numbers of rows that were computed but lead to shapes alone are never asked for.
                let Some(value) = self.constant(value, &node.name)? else { continue };
                value
            } else {
                let mut inputs = Vec::new();
                for input in &node.inputs {
                    // A number of rows is used as a number: the answer depends on how many rows there are.
                    inputs.push(self.values.get(input).cloned().ok_or_else(|| self.depends(&node.name))?);
                }
                let facts = model.node_input_facts(node.id)?.to_vec();
                if made.is_none() {
                    made = self.whole(node, &inputs, &facts)?;
                }
                if let Some(all) = &made {
                    all.get(slot).cloned().ok_or_else(|| Error::bug("a result is missing"))?
                } else {
                    let out = self.layout(&output.fact, &node.name)?;
                    let mut context =
                        Context { importer: self, name: &node.name, inputs, out: out.clone(), facts, slot };
                    Value { id: operator(&mut context, &*node.op)?, layout: out }
                }
            };
            self.values.insert(outlet, value);
        }
        Ok(())
    }

    /// Operators with a model inside, all results at once.
    fn whole(&mut self, node: &TypedNode, inputs: &[Value], facts: &[&TypedFact]) -> Result<Option<Vec<Value>>, Stop> {
        if let Some(op) = node.op_as::<Scan>() {
            return self.scan(op, inputs, &node.name).map(Some);
        }
        if let Some(op) = node.op_as::<IfThenElse>() {
            let known = facts[0].konst.as_ref().and_then(|k| k.cast_to_scalar::<bool>().ok());
            return self.choose(op, known, inputs, &node.name).map(Some);
        }
        Ok(None)
    }

    /// A constant; `None` for one that holds the number of rows.
    fn constant(&mut self, value: &Arc<Tensor>, name: &str) -> Result<Option<Value>, Stop> {
        let value: Arc<Tensor> = if value.datum_type() == TDim::datum_type() {
            match value.cast_to_dt(i64::datum_type()) {
                Ok(value) => value.into_owned().into_arc_tensor(),
                Err(_) => return Ok(None),
            }
        } else {
            value.clone()
        };
        let layout =
            Layout { ty: ty(value.datum_type(), name)?, shape: value.shape().to_vec(), rows: None, merged: false };
        let id = self.push(&layout, Op::Const(Bytes(value.as_bytes().into())), vec![], name);
        Ok(Some(Value { id, layout }))
    }

    fn layout(&self, fact: &TypedFact, name: &str) -> Result<Layout, Stop> {
        let mut layout = Layout { ty: ty(fact.datum_type, name)?, shape: Vec::new(), rows: None, merged: false };
        for (axis, dim) in fact.shape.iter().enumerate() {
            if let Ok(dim) = dim.to_usize() {
                layout.shape.push(dim);
            } else if layout.rows.is_none() && self.rows.is_some_and(|rows| *dim == TDim::Sym(rows.clone())) {
                layout.rows = Some(axis);
            } else if let (None, Some(count)) = (layout.rows, self.per_row(dim)) {
                (layout.rows, layout.merged) = (Some(axis), true);
                layout.shape.push(count);
            } else {
                return Err(self.depends(name));
            }
        }
        Ok(layout)
    }

    /// Why a shape, or a number that was computed from one, is not known: it depends on the number of rows or on values.
    fn depends(&self, name: &str) -> Stop {
        if self.rows.is_some() {
            return Stop::Mixes;
        }
        let (what, help) = ("a result whose shape depends on values", "export the model with fixed shapes");
        Error::unsupported(format!("node {name:?}"), what, help).into()
    }

    /// `c` of a length of `c · rows`.
    fn per_row(&self, dim: &TDim) -> Option<usize> {
        match dim {
            TDim::MulInt(count, of) if self.rows.is_some_and(|rows| **of == TDim::Sym(rows.clone())) => {
                usize::try_from(*count).ok()
            }
            _ => None,
        }
    }

    fn push(&mut self, layout: &Layout, op: Op, inputs: Vec<Id>, name: &str) -> Id {
        let id = Id(self.graph.nodes.len() as u32);
        self.graph.nodes.push(Node { op, inputs, shape: layout.shape.clone(), ty: layout.ty, name: name.to_owned() });
        id
    }
}

/// Finds the family.
fn operator(c: &mut Context, op: &dyn TypedOp) -> Result<Id, Stop> {
    if let Some(op) = op.downcast_ref::<ElementWiseOp>() {
        element::unary(c, op)
    } else if let Some(op) = op.downcast_ref::<TypedBinOp>() {
        binary::binary(c, op)
    } else if op.is::<Iff>() {
        binary::select(c)
    } else if let Some(op) = op.downcast_ref::<Cast>() {
        element::cast(c, op)
    } else if let Some(op) = op.downcast_ref::<AxisOp>() {
        axes::change(c, op)
    } else if let Some(op) = op.downcast_ref::<EinSum>() {
        einsum::product(c, op)
    } else if let Some(op) = op.downcast_ref::<Reduce>() {
        reduce::reduce(c, op)
    } else if let Some(op) = op.downcast_ref::<Softmax>() {
        softmax::softmax(c, op)
    } else if let Some(op) = op.downcast_ref::<Gather>() {
        gather::gather(c, op)
    } else if let Some(op) = op.downcast_ref::<TractOneHot>() {
        gather::one_hot(c, op)
    } else if let Some(op) = op.downcast_ref::<TypedConcat>() {
        concat::concat(c, op)
    } else if let Some(op) = op.downcast_ref::<Slice>() {
        slice::slice(c, op)
    } else if let Some(op) = op.downcast_ref::<Downsample>() {
        slice::downsample(c, op)
    } else if op.is::<MultiBroadcastTo>() {
        broadcast::broadcast(c)
    } else if let Some(op) = op.downcast_ref::<Conv>() {
        conv::conv(c, op)
    } else if let Some(ml::onnx::integer_conv::Whole(op)) = op.downcast_ref() {
        conv::conv(c, op)
    } else if let Some(op) = op.downcast_ref::<Deconv>() {
        conv::transposed(c, op)
    } else if let Some(op) = op.downcast_ref::<MaxPool>() {
        pool::greatest(c, op)
    } else if let Some(op) = op.downcast_ref::<SumPool>() {
        pool::sums(c, op)
    } else if let Some(op) = op.downcast_ref::<TractPad>() {
        pad::pad(c, op)
    } else if let Some(op) = op.downcast_ref::<GatherElements>() {
        positions::gather_elements(c, op)
    } else if let Some(op) = op.downcast_ref::<GatherNd>() {
        positions::gather_nd(c, op)
    } else if let Some(op) = op.downcast_ref::<ScatterElements>() {
        positions::scatter_elements(c, op)
    } else if let Some(op) = op.downcast_ref::<ScatterNd>() {
        positions::scatter_nd(c, op)
    } else if let Some(op) = op.downcast_ref::<Topk>() {
        order::top_k(c, op)
    } else if let Some(op) = op.downcast_ref::<CumSum>() {
        order::cumulate(c, op)
    } else if let Some(op) = op.downcast_ref::<Tile>() {
        repeat::tile(c, op)
    } else if let Some(op) = op.downcast_ref::<Trilu>() {
        repeat::triangle(c, op)
    } else if let Some(op) = op.downcast_ref::<LstmEpilogue>() {
        lstm::cell(c, op)
    } else if let Some(op) = op.downcast_ref::<GridSample>() {
        sample::sample(c, op)
    } else if let Some(op) = op.downcast_ref::<Lrn>() {
        pool::neighbours(c, op)
    } else if let Some(op) = op.downcast_ref::<Resize>() {
        resize::resize(c, op)
    } else if op.is::<Identity>() {
        Ok(c.inputs[0].id)
    } else if let Some(op) = op.downcast_ref::<ml::trees::Forest>() {
        own::forest(c, op)
    } else if let Some(op) = op.downcast_ref::<ml::one_hot::OneHot>() {
        own::one_hot(c, op)
    } else if op.is::<ml::coupling::Coupling>() {
        own::coupling(c)
    } else if let Some(op) = op.downcast_ref::<ml::onnx::cumulate::Products>() {
        own::products(c, op)
    } else if op.is::<ml::onnx::bit_cast::SameBits>() {
        Ok(own::same_bits(c))
    } else if let Some(op) = op.downcast_ref::<ml::lookup::Lookup>() {
        own::lookup(c, op)
    } else {
        Err(c.unsupported(&format!("the inner operator {}", op.name())))
    }
}

fn ty(ty: DatumType, name: &str) -> Result<Type, Stop> {
    Ok(match ty {
        DatumType::Bool => Type::Bool,
        DatumType::I8 => Type::I8,
        DatumType::U8 => Type::U8,
        DatumType::I16 => Type::I16,
        DatumType::U16 => Type::U16,
        DatumType::I32 => Type::I32,
        DatumType::U32 => Type::U32,
        DatumType::U64 => Type::U64,
        DatumType::I64 | DatumType::TDim => Type::I64,
        DatumType::F32 => Type::F32,
        DatumType::F64 => Type::F64,
        other => {
            let help = "use float, double, bool or integers throughout";
            return Err(Error::unsupported(format!("node {name:?}"), format!("type {other:?}"), help).into());
        }
    })
}
