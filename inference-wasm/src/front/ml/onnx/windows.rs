//! What operators with windows say of them.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::cnn::{PaddingSpec, PoolSpec};
use tract_onnx::tract_core::ops::nn::DataFormat;
use tract_onnx::tract_hir::internal::*;

use crate::front::attributes::Attributes;

/// Windows as the attributes have them; the channels are still to be known, and the window's extents too where there is
/// no `kernel_shape`.
#[derive(Debug, Clone)]
pub struct Windows {
    kernel: Option<TVec<usize>>,
    strides: Option<TVec<usize>>,
    dilations: Option<TVec<usize>>,
    pads: Option<TVec<usize>>,
    auto: Option<PaddingSpec>,
    ceil: bool,
}

impl Windows {
    /// Reads the attributes.
    pub fn parse(node: &NodeProto) -> Result<Windows, String> {
        let sizes = |name: &str, least: usize| -> Result<Option<TVec<usize>>, String> {
            let sizes = node.ints(name).iter().map(|n| usize::try_from(*n).ok().filter(|n| *n >= least));
            let sizes: Option<TVec<usize>> = sizes.collect();
            let sizes = sizes.ok_or(format!("has a number below {least} in `{name}`"))?;
            Ok(Some(sizes).filter(|s| !s.is_empty()))
        };
        let auto = match &*node.word("auto_pad", "NOTSET") {
            "SAME_UPPER" => Some(PaddingSpec::SameUpper),
            "SAME_LOWER" => Some(PaddingSpec::SameLower),
            "VALID" => Some(PaddingSpec::Valid),
            _ => None,
        };
        Ok(Windows {
            kernel: sizes("kernel_shape", 1)?,
            strides: sizes("strides", 1)?,
            dilations: sizes("dilations", 1)?,
            pads: sizes("pads", 0)?,
            auto,
            ceil: node.int("ceil_mode", 0) != 0,
        })
    }

    /// For a window of these extents, unless the attributes have them.
    pub fn spec(&self, extents: Option<&[usize]>, channels: (usize, usize)) -> TractResult<PoolSpec> {
        let kernel = self.kernel.clone().or_else(|| extents.map(|e| e.into())).context("needs `kernel_shape`")?;
        let rank = kernel.len();
        ensure!(extents.is_none_or(|e| *e == *kernel), "has a kernel that is not of its `kernel_shape`");
        let fits = |list: &Option<TVec<usize>>, n: usize| list.as_ref().is_none_or(|l| l.len() == n);
        ensure!(
            fits(&self.strides, rank) && fits(&self.dilations, rank) && fits(&self.pads, 2 * rank),
            "has strides, dilations or pads that do not go with its window"
        );
        let padding = self.auto.clone().unwrap_or_else(|| {
            let pads = self.pads.clone().unwrap_or_else(|| tvec!(0; 2 * rank));
            PaddingSpec::ExplicitOnnxPool(pads[..rank].into(), pads[rank..].into(), self.ceil)
        });
        let (strides, dilations) = (self.strides.clone(), self.dilations.clone());
        Ok(PoolSpec::new(DataFormat::NCHW, kernel, padding, dilations, strides, channels.0, channels.1))
    }
}
