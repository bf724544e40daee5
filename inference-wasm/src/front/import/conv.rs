//! Convolutions, forward and transposed, as sums of products over windows of a padded operand.

use tract_onnx::tract_core::ops::cnn::pools::PoolSpec;
use tract_onnx::tract_core::ops::cnn::{Conv, Deconv, KernelFormat, PaddingSpec};
use tract_onnx::tract_core::ops::nn::DataFormat;
use tract_onnx::tract_hir::internal::*;

use super::{Context, Stop, winograd};
use crate::graph::build::strides;
use crate::graph::{Binary, Contract, Id, Op, Strided, Type};
use crate::math::element;

/// An operand `[batch…, channels, spatial…]`; a batch that counts rows is stripped.
pub(super) struct Image {
    pub id: Id,
    /// The axis of the batch, unless it counts rows.
    pub batch: Vec<usize>,
    pub channels: usize,
    pub spatial: Vec<usize>,
}

impl Image {
    /// Operand 0, whose rows may be its batch alone.
    pub fn of(c: &Context, spec: &PoolSpec) -> Result<Image, Stop> {
        let x = &c.inputs[0];
        let stripped = match x.layout.rows {
            None => 0,
            Some(0) if !x.layout.merged => 1,
            Some(_) => return Err(Stop::Mixes),
        };
        if spec.data_format != DataFormat::NCHW {
            return Err(c.unsupported("a layout that is not channels first"));
        }
        let shape = &x.layout.shape;
        if shape.len() + stripped < 2 + spec.kernel_shape.len() {
            return Err(c.wrong(format!("needs an image with {} axes of space", spec.kernel_shape.len())));
        }
        let batch = shape[..1 - stripped].to_vec();
        let [channels, spatial @ ..] = &shape[batch.len()..] else {
            return Err(c.unsupported("an image without axes"));
        };
        Ok(Image { id: x.id, channels: *channels, spatial: spatial.to_vec(), batch })
    }

    /// The image, when a window fits into it with its padding.
    pub fn holding(self, c: &Context, spec: &PoolSpec) -> Result<Image, Stop> {
        for (d, n) in self.spatial.iter().enumerate() {
            let window = (spec.kernel_shape[d] - 1) * spec.dilation(d) + 1;
            let padded = match &spec.padding {
                PaddingSpec::Explicit(before, after) | PaddingSpec::ExplicitOnnxPool(before, after, false) => {
                    before[d] + n + after[d]
                }
                _ => window, // made to fit
            };
            if padded < window {
                return Err(
                    c.wrong(format!("a window of {window} is larger than the padded image, which has {padded}"))
                );
            }
        }
        Ok(self)
    }

    pub fn shape(&self) -> Vec<usize> {
        [&self.batch[..], &[self.channels], &self.spatial].concat()
    }

    /// The image with `value` around and between its elements, `spatial` in all.
    pub fn padded(
        mut self,
        c: &mut Context,
        before: &[usize],
        between: &[usize],
        spatial: Vec<usize>,
        value: u64,
    ) -> Image {
        if spatial != self.spatial {
            let others = vec![0; self.batch.len() + 1];
            let (before, between) = ([&others[..], before].concat(), [&others[..], between].concat());
            let shape = [&self.batch[..], &[self.channels], &spatial].concat();
            self.id = c.pad(self.id, before, between, shape, value);
            self.spatial = spatial;
        }
        self
    }
}

/// Any convolution whose numbers are what they are.
pub fn conv(c: &mut Context, op: &Conv) -> Result<Id, Stop> {
    if op.q_params.is_some() || op.kernel_fmt != KernelFormat::OIHW {
        return Err(c.unsupported("a quantized convolution"));
    }
    let image = Image::of(c, &op.pool_spec)?.holding(c, &op.pool_spec)?;
    let spec = &op.pool_spec;
    let (steps, apart) = (spec.strides().to_vec(), spec.dilations().to_vec());
    let pads = spec.computed_padding(&image.spatial);
    let before: Vec<usize> = pads.iter().map(|p| p.pad_before).collect();
    let between = vec![0; before.len()];
    let needed = |d: usize| (pads[d].convoluted.max(1) - 1) * steps[d] + (spec.kernel_shape[d] - 1) * apart[d] + 1;
    let spatial = (0..before.len()).map(|d| needed(d).max(before[d] + image.spatial[d])).collect();
    let image = image.padded(c, &before, &between, spatial, 0);
    let kernel = c.inputs[1].clone();
    if kernel.layout.rows.is_some() {
        return Err(Stop::Mixes);
    }
    let offset = vec![0; before.len()];
    windows(c, image, (kernel.id, &spec.kernel_shape), op.group, &offset, &steps, &apart)
}

/// A transposed convolution: the elements set apart by the strides, then an ordinary one with the kernel turned round.
pub fn transposed(c: &mut Context, op: &Deconv) -> Result<Id, Stop> {
    if op.kernel_format != KernelFormat::OIHW {
        return Err(c.unsupported("a kernel in another order"));
    }
    let image = Image::of(c, &op.pool_spec)?;
    let spec = &op.pool_spec;
    let (steps, apart) = (spec.strides().to_vec(), spec.dilations().to_vec());
    let pads = spec.padding.compute_for_deconv(&image.spatial, &spec.kernel_shape, &apart, &steps, &op.adjustments)?;
    let kernel = c.inputs[1].clone();
    if kernel.layout.rows.is_some() {
        return Err(Stop::Mixes);
    }
    let rank = pads.len();
    // The turned kernel reaches this far before an element; padding that was to be cut off makes it less.
    let reach: Vec<usize> = (0..rank).map(|d| (spec.kernel_shape[d] - 1) * apart[d]).collect();
    let before: Vec<usize> = (0..rank).map(|d| reach[d].saturating_sub(pads[d].pad_before)).collect();
    let offset: Vec<usize> = (0..rank).map(|d| pads[d].pad_before.saturating_sub(reach[d])).collect();
    let between: Vec<usize> = steps.iter().map(|s| s - 1).collect();
    let spatial = (0..rank).map(|d| {
        let apart = (image.spatial[d].max(1) - 1) * steps[d] + 1;
        (before[d] + apart).max(offset[d] + pads[d].deconvoluted + reach[d])
    });
    let spatial = spatial.collect();
    let image = image.padded(c, &before, &between, spatial, 0);
    let (mut turned, mut shape) = (kernel.id, kernel.layout.shape);
    shape[0] = spec.output_channels;
    for d in 0..rank {
        let n = spec.kernel_shape[d];
        let op = Op::Slice { axis: d + 2, start: n - 1, step: -1 };
        turned = c.shaped(op, vec![turned], shape.clone(), kernel.layout.ty);
    }
    windows(c, image, (turned, &spec.kernel_shape), op.group, &offset, &vec![1; rank], &apart)
}

/// Sums over windows of the image, plus operand 2.
fn windows(
    c: &mut Context,
    image: Image,
    (kernel, extents): (Id, &[usize]),
    groups: usize,
    offset: &[usize],
    steps: &[usize],
    apart: &[usize],
) -> Result<Id, Stop> {
    let ty = c.out.ty;
    if ty == Type::Bool || groups == 0 {
        return Err(c.unsupported("a convolution of booleans"));
    }
    let out = c.out.shape.clone();
    let rank = steps.len();
    if offset.iter().all(|offset| *offset == 0)
        && let Some(made) = winograd::conv(c, &image, (kernel, extents), groups, steps, apart)
    {
        return bias(c, made, out[image.batch.len()], rank);
    }
    let (n, outputs) = (image.batch.len(), out[image.batch.len()]);
    let (ins, outs) = (image.channels / groups, outputs / groups);
    let x = strides(&image.shape());
    let inner = [&[ins], extents].concat();
    let taps: usize = inner.iter().product();
    let image_steps: Vec<usize> = (0..rank).map(|d| x[n + 1 + d] * steps[d]).collect();
    // Axes of the result: batch, group, channel of the group, space; groups of all or of one channel need no axis.
    let channels: Vec<(usize, usize, usize)> = match (groups, outs) {
        (1, _) => vec![(outputs, taps, 0)],
        (_, 1) => vec![(outputs, taps, ins * x[n])],
        _ => vec![(groups, outs * taps, ins * x[n]), (outs, taps, 0)],
    };
    let kernel_strides = strides(&inner);
    let none = vec![0; rank];
    let left = Strided {
        start: 0,
        outer: [&vec![0; n], &channels.iter().map(|a| a.1).collect::<Vec<_>>()[..], &none].concat(),
        inner: kernel_strides,
    };
    let along: Vec<usize> = (0..rank).map(|d| x[n + 1 + d] * apart[d]).collect();
    let right = Strided {
        start: (0..rank).map(|d| x[n + 1 + d] * offset[d]).sum(),
        outer: [&x[..n], &channels.iter().map(|a| a.2).collect::<Vec<_>>()[..], &image_steps].concat(),
        inner: [&[x[n]], &along[..]].concat(),
    };
    let shape = [&out[..n], &channels.iter().map(|a| a.0).collect::<Vec<_>>()[..], &out[n + 1..]].concat();
    let program = Arc::new(element::cast(ty, ty));
    let contract = Op::Contract(Arc::new(Contract { inner, left, right, program, frame: None }));
    let made = c.shaped(contract, vec![kernel, image.id], shape, ty);
    let made = c.reshape(made, &out);
    bias(c, made, outputs, rank)
}

/// Adds operand 2, one number for each channel or one for all.
fn bias(c: &mut Context, made: Id, outputs: usize, rank: usize) -> Result<Id, Stop> {
    let Some(bias) = c.inputs.get(2).cloned() else { return Ok(made) };
    if bias.layout.rows.is_some() {
        return Err(Stop::Mixes);
    }
    let zero = c.importer.graph.constant_bytes(bias.id).is_some_and(|bytes| bytes.iter().all(|b| *b == 0));
    if zero {
        return Ok(made);
    }
    let shape = if bias.layout.shape.iter().product::<usize>() == outputs { outputs } else { 1 };
    let bias = c.reshape(bias.id, &[&[shape], &vec![1; rank][..]].concat());
    Ok(c.result(Op::Binary(Binary::Add), vec![made, bias]))
}
