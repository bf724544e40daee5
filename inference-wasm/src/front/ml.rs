//! The operators of `ai.onnx.ml`, and what tract's `ai.onnx` lacks, registered with tract in place of its own.
//!
//! onnxruntime is the yardstick: where the specification leaves a choice (one score for two classes,
//! ties, base values), the answer is onnxruntime's.

use tract_onnx::model::OnnxOpRegister;
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use crate::Error;
use crate::support::place;

mod binarizer;
pub mod coupling;
mod feature_extractor;
mod feature_vectorizer;
mod imputer;
mod label_encoder;
mod labels;
mod linear;
mod linear_classifier;
mod linear_regressor;
pub mod lookup;
mod loss;
mod normalizer;
pub mod one_hot;
pub mod onnx;
mod post_transform;
mod quantize;
mod scaler;
mod svm;
mod svm_classifier;
mod svm_regressor;
mod tree_classifier;
mod tree_nodes;
mod tree_regressor;
pub mod trees;
mod wire;

use onnx::{
    affine_grid, attention, batch_norm, bit_cast, causal_conv, center_crop_pad, col2im, compress, cumulate, fourier,
    integer_conv, linear_attention, lp_pool, one_hot as one_hot_onnx, p_relu, pad, reverse_sequence,
};
use wire::Wire;

/// One operator: read from a node, then spelled in tract's core operators and ours.
trait Operator: std::fmt::Debug + Clone + Send + Sync + Sized + 'static {
    /// The operator's name in the file.
    const NAME: &'static str;
    /// Inputs that it cannot do without.
    const INPUTS: usize = 1;
    /// Number of results.
    const OUTPUTS: usize = 1;

    /// Reads the attributes; an error is a sentence about the node.
    fn parse(node: &NodeProto) -> Result<Self, String>;

    /// Those of its inputs whose values it must know, among those that are given.
    fn values(&self) -> Vec<usize> {
        Vec::new()
    }

    /// Number of results of this node.
    fn outputs(&self) -> usize {
        Self::OUTPUTS
    }

    /// Adds it to a model.
    fn wire(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>>;
}

macro_rules! operators {
    ($($module:ident :: $name:ident),* $(,)?) => {
        /// Makes tract use our operators.
        pub fn register(register: &mut OnnxOpRegister) {
            $(register.insert($module::$name::NAME, |_, node| build::<$module::$name>(node));)*
        }

        /// Reads the attributes of a node, so that a fault is told with the node's name.
        pub fn check(node: &NodeProto) -> Result<(), Error> {
            let result = match &*node.op_type {
                $(<$module::$name as Operator>::NAME => read::<$module::$name>(node).map(drop),)*
                _ => Ok(()),
            };
            result.map_err(|what| Error::invalid(place(node), what))
        }
    };
}

operators!(
    affine_grid::AffineGrid,
    attention::Attention,
    batch_norm::BatchNormalization,
    bit_cast::BitCast,
    causal_conv::CausalConvWithState,
    center_crop_pad::CenterCropPad,
    col2im::Col2Im,
    compress::Compress,
    cumulate::CumProd,
    fourier::Dft,
    fourier::Stft,
    integer_conv::ConvInteger,
    integer_conv::QLinearConv,
    linear_attention::LinearAttention,
    lp_pool::LpPool,
    one_hot_onnx::OneHot,
    p_relu::PRelu,
    pad::Pad,
    reverse_sequence::ReverseSequence,
    binarizer::Binarizer,
    feature_extractor::ArrayFeatureExtractor,
    feature_vectorizer::FeatureVectorizer,
    imputer::Imputer,
    label_encoder::LabelEncoder,
    linear_classifier::LinearClassifier,
    linear_regressor::LinearRegressor,
    normalizer::Normalizer,
    one_hot::OneHotEncoder,
    scaler::Scaler,
    svm_classifier::SVMClassifier,
    svm_regressor::SVMRegressor,
    loss::NegativeLogLikelihoodLoss,
    loss::SoftmaxCrossEntropyLoss,
    quantize::QuantizeLinear,
    quantize::DequantizeLinear,
    quantize::DynamicQuantizeLinear,
    quantize::MatMulInteger,
    quantize::QLinearMatMul,
    tree_classifier::TreeEnsembleClassifier,
    tree_regressor::TreeEnsembleRegressor,
    tree_regressor::TreeEnsemble,
);

fn read<T: Operator>(node: &NodeProto) -> Result<T, String> {
    let given = node.input.iter().filter(|name| !name.is_empty()).count();
    if given < T::INPUTS {
        return Err(format!("needs {} inputs, it has {given}", T::INPUTS));
    }
    T::parse(node)
}

fn build<T: Operator>(node: &NodeProto) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    let op = read::<T>(node).map_err(|what| format_err!("{}: {what}", place(node)))?;
    Ok((expand(Adapter(op)), vec![]))
}

/// An operator as tract sees it: shapes follow from wiring it into an empty model.
#[derive(Debug, Clone)]
struct Adapter<T>(T);

impl<T: Operator> Adapter<T> {
    /// Wires it on integers where tract counts, in a type of its own, whatever may be a size.
    fn spell(&self, w: &mut Wire, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let plain = |x: &OutletId| match w.known(*x) {
            _ if w.ty(*x)? != TDim::datum_type() => Ok(*x),
            Some(sizes) if sizes.cast_to::<i64>().is_ok() => {
                w.constant(sizes.cast_to_dt(i64::datum_type())?.into_owned())
            }
            _ => w.cast(*x, i64::datum_type()),
        };
        let inputs: TVec<OutletId> = inputs.iter().map(plain).collect::<TractResult<_>>()?;
        self.0.wire(w, &inputs)
    }
}

impl<T: Operator> Expansion for Adapter<T> {
    fn name(&self) -> StaticName {
        T::NAME.into()
    }

    fn nboutputs(&self) -> TractResult<usize> {
        Ok(self.0.outputs())
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        s: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        s.given_all(inputs.iter().map(|i| &i.datum_type), move |s, types: Vec<DatumType>| {
            s.given_all(inputs.iter().map(|i| &i.shape), move |s, shapes: Vec<TVec<TDim>>| {
                let wanted: Vec<usize> = self.0.values().into_iter().filter(|i| *i < inputs.len()).collect();
                let types = types.clone();
                let infer = move |s: &mut Solver<'r>, values: Vec<Arc<Tensor>>| {
                    let mut model = TypedModel::default();
                    let mut sources = TVec::new();
                    for (i, (ty, shape)) in types.iter().zip(&shapes).enumerate() {
                        let name = format!("input {i}");
                        sources.push(match wanted.iter().position(|w| *w == i) {
                            Some(at) => model.add_const(name, values[at].clone())?,
                            None => model.add_source(name, ty.fact(shape))?,
                        });
                    }
                    let made = self.spell(&mut Wire::new(&mut model, "node"), &sources)?;
                    for (output, outlet) in outputs.iter().zip(made) {
                        let fact = model.outlet_fact(outlet)?;
                        s.equals(&output.datum_type, fact.datum_type)?;
                        s.equals(&output.shape, fact.shape.to_tvec())?;
                    }
                    Ok(())
                };
                let values: Vec<_> = self.0.values().into_iter().filter_map(|i| Some(&inputs.get(i)?.value)).collect();
                if values.is_empty() { infer(s, vec![]) } else { s.given_all(values, infer) }
            })
        })
    }

    fn wire(&self, prefix: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        self.spell(&mut Wire::new(model, prefix), inputs)
    }
}
