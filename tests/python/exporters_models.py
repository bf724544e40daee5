"""Estimators, fitted and exported: `MODELS[name]()` gives (ONNX bytes, rows, the library's own answers by output's place)."""

import lightgbm
import numpy as np
import pandas as pd
import xgboost
from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm
from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
from skl2onnx import to_onnx, update_registered_converter
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes, calculate_linear_regressor_output_shapes
from sklearn import (
    calibration,
    cluster,
    cross_decomposition,
    decomposition,
    discriminant_analysis,
    ensemble,
    feature_selection,
    gaussian_process,
    linear_model,
    mixture,
    multiclass,
    multioutput,
    naive_bayes,
    neighbors,
    neural_network,
    preprocessing,
    random_projection,
    svm,
    tree,
)
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline

ROWS = 100
OPSETS = {"": 17, "ai.onnx.ml": 3}


def scaled(load):
    x, y = load(return_X_y=True)
    return preprocessing.StandardScaler().fit_transform(x).astype(np.float32), y


BINARY, MULTI, NUMBER = scaled(load_breast_cancer), scaled(load_iris), scaled(load_diabetes)
BINARY = BINARY[0][:, :12], BINARY[1]
POSITIVE = np.abs(BINARY[0]), BINARY[1]
COUNTS = MULTI[0], np.abs(MULTI[1]).astype(np.float32) + 1
GAPS = np.where(np.random.default_rng(0).random(BINARY[0].shape) < 0.1, np.nan, BINARY[0]).astype(np.float32), BINARY[1]
WORDS = np.array(["setosa", "versicolor", "virginica"])


def spread(x):
    """Rows of all the data, so that every class is asked."""
    return x[np.linspace(0, len(x) - 1, ROWS).astype(int)]


def classifier(model, data=MULTI, options=None, names=None):
    def make():
        x, y = data
        y = y if names is None else names[y]
        fitted = model.fit(x, y)
        wanted = {"zipmap": False} if options is None else options
        exported = to_onnx(fitted, x[:1], options={id(fitted): wanted} if wanted else None, target_opset=OPSETS)
        rows = spread(x)
        own = {0: fitted.predict(rows)}
        if hasattr(fitted, "predict_proba"):
            own[1] = np.asarray(fitted.predict_proba(rows)).astype(np.float32)
        return exported.SerializeToString(), rows, own

    return make


def regressor(model, data=NUMBER):
    def make():
        x, y = data
        y = (y / np.abs(y).max()).astype(np.float32) if data is NUMBER else y
        fitted = model.fit(x, y)
        exported = to_onnx(fitted, x[:1], target_opset=OPSETS)
        rows = spread(x)
        return exported.SerializeToString(), rows, {0: np.asarray(fitted.predict(rows)).astype(np.float32)}

    return make


def transformer(model, data=BINARY, supervised=False):
    def make():
        x, y = data
        fitted = model.fit(x, y) if supervised else model.fit(x)
        exported = to_onnx(fitted, x[:1], target_opset=OPSETS)
        rows = spread(x)
        own = fitted.transform(rows)
        own = own.toarray() if hasattr(own, "toarray") else np.asarray(own)
        return exported.SerializeToString(), rows, {0: own.astype(np.float32)}

    return make


def predictor(model, data=BINARY, outputs=("predict",)):
    """Whatever answers with these methods, one for each output."""

    def make():
        fitted = model.fit(data[0])
        exported = to_onnx(fitted, data[0][:1], target_opset=OPSETS)
        rows = spread(data[0])
        read = lambda value: value if value.dtype.kind == "i" else value.astype(np.float32)  # noqa: E731
        return exported.SerializeToString(), rows, {n: read(np.asarray(getattr(fitted, name)(rows))) for n, name in enumerate(outputs)}

    return make


def mixed_table():
    random = np.random.default_rng(1)
    n = 400
    table = pd.DataFrame(
        {
            "age": random.integers(18, 80, n).astype(np.float32),
            "income": random.lognormal(10, 1, n).astype(np.float32),
            "city": random.choice(["Beira", "Maputo", "Nampula", "Tete"], n),
            "plan": random.choice(["basic", "plus"], n),
        }
    )
    y = ((table["age"] > 45) ^ (table["city"] == "Beira")).astype(int).to_numpy()
    return table, y


def mixed(model, encoder):
    def make():
        table, y = mixed_table()
        columns = ColumnTransformer(
            [
                ("numbers", make_pipeline(SimpleImputer(strategy="median"), preprocessing.StandardScaler()), ["age", "income"]),
                ("texts", encoder, ["city", "plan"]),
            ]
        )
        fitted = make_pipeline(columns, model).fit(table, y)
        kinds = [(name, StringTensorType([None, 1]) if name in ("city", "plan") else FloatTensorType([None, 1])) for name in table]
        exported = to_onnx(fitted, initial_types=kinds, options={id(fitted): {"zipmap": False}}, target_opset=OPSETS)
        rows = table.iloc[:ROWS]
        return exported.SerializeToString(), rows, {0: fitted.predict(rows), 1: fitted.predict_proba(rows).astype(np.float32)}

    return make


for kind in (xgboost.XGBClassifier, xgboost.XGBRFClassifier):
    update_registered_converter(
        kind, f"Xgb{kind.__name__}", calculate_linear_classifier_output_shapes, convert_xgboost, options={"nocl": [True, False], "zipmap": [True, False, "columns"]}
    )
for kind in (xgboost.XGBRegressor, xgboost.XGBRFRegressor):
    update_registered_converter(kind, f"Xgb{kind.__name__}", calculate_linear_regressor_output_shapes, convert_xgboost)
update_registered_converter(
    lightgbm.LGBMClassifier, "LgbmClassifier", calculate_linear_classifier_output_shapes, convert_lightgbm, options={"nocl": [True, False], "zipmap": [True, False, "columns"]}
)
update_registered_converter(lightgbm.LGBMRegressor, "LgbmRegressor", calculate_linear_regressor_output_shapes, convert_lightgbm, options={"split": None})

XGB = {"n_estimators": 20, "max_depth": 4, "random_state": 0}
LGBM = {"n_estimators": 20, "num_leaves": 15, "random_state": 0, "verbose": -1}
SEED = {"random_state": 0}

MODELS = {
    "LogisticRegression, two classes": classifier(linear_model.LogisticRegression(), BINARY),
    "LogisticRegression, three classes": classifier(linear_model.LogisticRegression()),
    "LogisticRegression, labels are texts": classifier(linear_model.LogisticRegression(), names=WORDS),
    "LogisticRegressionCV": classifier(linear_model.LogisticRegressionCV(max_iter=500)),
    "SGDClassifier, log_loss": classifier(linear_model.SGDClassifier(loss="log_loss", **SEED)),
    "SGDClassifier, hinge": classifier(linear_model.SGDClassifier(**SEED)),
    "Perceptron": classifier(linear_model.Perceptron(**SEED)),
    "RidgeClassifier": classifier(linear_model.RidgeClassifier()),
    "RidgeClassifierCV": classifier(linear_model.RidgeClassifierCV()),
    "LinearSVC, two classes": classifier(svm.LinearSVC(**SEED), BINARY, options={}),
    "LinearSVC, three classes": classifier(svm.LinearSVC(**SEED), options={}),
    "SVC, linear, two classes": classifier(svm.SVC(kernel="linear", probability=True, **SEED), BINARY),
    "SVC, rbf, two classes": classifier(svm.SVC(probability=True, **SEED), BINARY),
    "SVC, poly, two classes": classifier(svm.SVC(kernel="poly", probability=True, **SEED), BINARY),
    "SVC, sigmoid, two classes": classifier(svm.SVC(kernel="sigmoid", probability=True, **SEED), BINARY),
    "SVC, rbf, three classes": classifier(svm.SVC(probability=True, **SEED)),
    "SVC, rbf, three classes, scores": classifier(svm.SVC(**SEED)),
    "SVC, rbf, labels are texts": classifier(svm.SVC(probability=True, **SEED), names=WORDS),
    "NuSVC": classifier(svm.NuSVC(probability=True, **SEED)),
    "DecisionTreeClassifier": classifier(tree.DecisionTreeClassifier(**SEED)),
    "ExtraTreeClassifier": classifier(tree.ExtraTreeClassifier(**SEED)),
    "RandomForestClassifier": classifier(ensemble.RandomForestClassifier(30, **SEED)),
    "RandomForestClassifier, labels are texts": classifier(ensemble.RandomForestClassifier(30, **SEED), names=WORDS),
    "ExtraTreesClassifier": classifier(ensemble.ExtraTreesClassifier(30, **SEED)),
    "GradientBoostingClassifier, two classes": classifier(ensemble.GradientBoostingClassifier(n_estimators=30, **SEED), BINARY),
    "GradientBoostingClassifier, three classes": classifier(ensemble.GradientBoostingClassifier(n_estimators=30, **SEED)),
    "HistGradientBoostingClassifier, two classes": classifier(ensemble.HistGradientBoostingClassifier(max_iter=30, **SEED), BINARY),
    "HistGradientBoostingClassifier, gaps": classifier(ensemble.HistGradientBoostingClassifier(max_iter=30, **SEED), GAPS),
    "AdaBoostClassifier": classifier(ensemble.AdaBoostClassifier(n_estimators=10, **SEED)),
    "BaggingClassifier": classifier(ensemble.BaggingClassifier(**SEED)),
    "VotingClassifier, soft": classifier(ensemble.VotingClassifier([("a", linear_model.LogisticRegression()), ("b", tree.DecisionTreeClassifier(**SEED))], voting="soft", flatten_transform=False)),
    "VotingClassifier, hard": classifier(ensemble.VotingClassifier([("a", linear_model.LogisticRegression()), ("b", tree.DecisionTreeClassifier(**SEED))], flatten_transform=False)),
    "StackingClassifier": classifier(ensemble.StackingClassifier([("a", linear_model.LogisticRegression()), ("b", tree.DecisionTreeClassifier(**SEED))])),
    "OneVsRestClassifier": classifier(multiclass.OneVsRestClassifier(linear_model.LogisticRegression())),
    "OneVsOneClassifier": classifier(multiclass.OneVsOneClassifier(linear_model.LogisticRegression())),
    "CalibratedClassifierCV, sigmoid": classifier(calibration.CalibratedClassifierCV(linear_model.LogisticRegression(), cv=2)),
    "CalibratedClassifierCV, isotonic": classifier(calibration.CalibratedClassifierCV(linear_model.LogisticRegression(), cv=2, method="isotonic")),
    "GaussianNB": classifier(naive_bayes.GaussianNB()),
    "BernoulliNB": classifier(naive_bayes.BernoulliNB()),
    "MultinomialNB": classifier(naive_bayes.MultinomialNB(), POSITIVE),
    "ComplementNB": classifier(naive_bayes.ComplementNB(), POSITIVE),
    "KNeighborsClassifier": classifier(neighbors.KNeighborsClassifier()),
    "NearestCentroid": classifier(neighbors.NearestCentroid()),
    "LinearDiscriminantAnalysis": classifier(discriminant_analysis.LinearDiscriminantAnalysis()),
    "QuadraticDiscriminantAnalysis": classifier(discriminant_analysis.QuadraticDiscriminantAnalysis()),
    "MLPClassifier": classifier(neural_network.MLPClassifier((8,), max_iter=300, **SEED)),
    "GaussianProcessClassifier": classifier(gaussian_process.GaussianProcessClassifier(**SEED), BINARY),
    "MultiOutputClassifier": classifier(multioutput.MultiOutputClassifier(linear_model.LogisticRegression()), (MULTI[0], np.stack([MULTI[1] > 0, MULTI[1] > 1], 1).astype(int))),
    "LinearRegression": regressor(linear_model.LinearRegression()),
    "Ridge": regressor(linear_model.Ridge()),
    "RidgeCV": regressor(linear_model.RidgeCV()),
    "Lasso": regressor(linear_model.Lasso(0.01)),
    "LassoCV": regressor(linear_model.LassoCV()),
    "LassoLars": regressor(linear_model.LassoLars(0.001)),
    "ElasticNet": regressor(linear_model.ElasticNet(0.01)),
    "ElasticNetCV": regressor(linear_model.ElasticNetCV()),
    "Lars": regressor(linear_model.Lars()),
    "OrthogonalMatchingPursuit": regressor(linear_model.OrthogonalMatchingPursuit()),
    "BayesianRidge": regressor(linear_model.BayesianRidge()),
    "ARDRegression": regressor(linear_model.ARDRegression()),
    "HuberRegressor": regressor(linear_model.HuberRegressor()),
    "TheilSenRegressor": regressor(linear_model.TheilSenRegressor(**SEED)),
    "RANSACRegressor": regressor(linear_model.RANSACRegressor(**SEED)),
    "SGDRegressor": regressor(linear_model.SGDRegressor(**SEED)),
    "PoissonRegressor": regressor(linear_model.PoissonRegressor(), COUNTS),
    "TweedieRegressor": regressor(linear_model.TweedieRegressor(power=1.5), COUNTS),
    "GammaRegressor": regressor(linear_model.GammaRegressor(), COUNTS),
    "QuantileRegressor": regressor(linear_model.QuantileRegressor(alpha=0.01)),
    "LinearSVR": regressor(svm.LinearSVR(**SEED)),
    "SVR, rbf": regressor(svm.SVR()),
    "SVR, poly": regressor(svm.SVR(kernel="poly")),
    "SVR, linear": regressor(svm.SVR(kernel="linear")),
    "NuSVR": regressor(svm.NuSVR()),
    "DecisionTreeRegressor": regressor(tree.DecisionTreeRegressor(max_depth=6, **SEED)),
    "ExtraTreeRegressor": regressor(tree.ExtraTreeRegressor(max_depth=6, **SEED)),
    "RandomForestRegressor": regressor(ensemble.RandomForestRegressor(20, max_depth=6, **SEED)),
    "ExtraTreesRegressor": regressor(ensemble.ExtraTreesRegressor(20, max_depth=6, **SEED)),
    "GradientBoostingRegressor": regressor(ensemble.GradientBoostingRegressor(n_estimators=30, **SEED)),
    "HistGradientBoostingRegressor": regressor(ensemble.HistGradientBoostingRegressor(max_iter=30, **SEED)),
    "AdaBoostRegressor": regressor(ensemble.AdaBoostRegressor(n_estimators=10, **SEED)),
    "BaggingRegressor": regressor(ensemble.BaggingRegressor(**SEED)),
    "VotingRegressor": regressor(ensemble.VotingRegressor([("a", linear_model.Ridge()), ("b", tree.DecisionTreeRegressor(max_depth=4, **SEED))])),
    "StackingRegressor": regressor(ensemble.StackingRegressor([("a", linear_model.Ridge()), ("b", tree.DecisionTreeRegressor(max_depth=4, **SEED))])),
    "KNeighborsRegressor": regressor(neighbors.KNeighborsRegressor()),
    "MLPRegressor": regressor(neural_network.MLPRegressor(hidden_layer_sizes=(8,), max_iter=300, **SEED)),
    "GaussianProcessRegressor": regressor(gaussian_process.GaussianProcessRegressor(alpha=0.1)),
    "PLSRegression": regressor(cross_decomposition.PLSRegression()),
    "MultiOutputRegressor": regressor(multioutput.MultiOutputRegressor(linear_model.Ridge()), (NUMBER[0], np.stack([NUMBER[1], -NUMBER[1]], 1).astype(np.float32) / 300)),
    "StandardScaler": transformer(preprocessing.StandardScaler()),
    "MinMaxScaler": transformer(preprocessing.MinMaxScaler()),
    "MaxAbsScaler": transformer(preprocessing.MaxAbsScaler()),
    "RobustScaler": transformer(preprocessing.RobustScaler()),
    "Normalizer": transformer(preprocessing.Normalizer()),
    "Binarizer": transformer(preprocessing.Binarizer()),
    "KBinsDiscretizer": transformer(preprocessing.KBinsDiscretizer(encode="ordinal", quantile_method="averaged_inverted_cdf")),
    "PolynomialFeatures": transformer(preprocessing.PolynomialFeatures()),
    "PowerTransformer": transformer(preprocessing.PowerTransformer()),
    "SimpleImputer": transformer(SimpleImputer(), GAPS),
    "PCA": transformer(decomposition.PCA(4)),
    "IncrementalPCA": transformer(decomposition.IncrementalPCA(4)),
    "TruncatedSVD": transformer(decomposition.TruncatedSVD(4)),
    "KernelPCA": transformer(decomposition.KernelPCA(4, kernel="rbf")),
    "GaussianRandomProjection": transformer(random_projection.GaussianRandomProjection(4, **SEED)),
    "VarianceThreshold": transformer(feature_selection.VarianceThreshold()),
    "SelectKBest": transformer(feature_selection.SelectKBest(k=4), supervised=True),
    "SelectPercentile": transformer(feature_selection.SelectPercentile(), supervised=True),
    "SelectFromModel": transformer(feature_selection.SelectFromModel(tree.DecisionTreeClassifier(**SEED)), supervised=True),
    "RFE": transformer(feature_selection.RFE(tree.DecisionTreeClassifier(**SEED)), supervised=True),
    "KMeans": predictor(cluster.KMeans(4, **SEED), outputs=("predict", "transform")),
    "MiniBatchKMeans": predictor(cluster.MiniBatchKMeans(4, **SEED), outputs=("predict", "transform")),
    "GaussianMixture": predictor(mixture.GaussianMixture(3, **SEED), outputs=("predict", "predict_proba")),
    "BayesianGaussianMixture": predictor(mixture.BayesianGaussianMixture(n_components=3, **SEED), outputs=("predict", "predict_proba")),
    "IsolationForest": predictor(ensemble.IsolationForest(n_estimators=20, **SEED), outputs=("predict", "decision_function")),
    "LocalOutlierFactor": predictor(neighbors.LocalOutlierFactor(novelty=True), outputs=("predict", "decision_function")),
    "OneClassSVM": predictor(svm.OneClassSVM(), outputs=("predict", "decision_function")),
    "ColumnTransformer with one-hot texts, logistic": mixed(linear_model.LogisticRegression(max_iter=500), preprocessing.OneHotEncoder(handle_unknown="ignore")),
    "ColumnTransformer with ordinal texts, forest": mixed(ensemble.RandomForestClassifier(20, **SEED), preprocessing.OrdinalEncoder()),
    "ColumnTransformer with one-hot texts, SVC": mixed(svm.SVC(probability=True, **SEED), preprocessing.OneHotEncoder(handle_unknown="ignore")),
    **{f"XGBClassifier, {objective}": classifier(xgboost.XGBClassifier(objective=objective, **XGB), data) for objective, data in [("binary:logistic", BINARY), ("binary:hinge", BINARY), ("multi:softprob", MULTI), ("multi:softmax", MULTI)]},
    "XGBClassifier, gaps": classifier(xgboost.XGBClassifier(**XGB), GAPS),
    "XGBRFClassifier": classifier(xgboost.XGBRFClassifier(**XGB)),
    **{f"XGBRegressor, {objective}": regressor(xgboost.XGBRegressor(objective=objective, **XGB), data) for objective, data in [("reg:squarederror", NUMBER), ("reg:squaredlogerror", NUMBER), ("reg:logistic", NUMBER), ("reg:pseudohubererror", NUMBER), ("reg:absoluteerror", NUMBER), ("count:poisson", COUNTS), ("reg:gamma", COUNTS), ("reg:tweedie", COUNTS)]},
    "XGBRFRegressor": regressor(xgboost.XGBRFRegressor(**XGB)),
    **{f"LGBMClassifier, {objective}": classifier(lightgbm.LGBMClassifier(objective=objective, **LGBM), data) for objective, data in [("binary", BINARY), ("cross_entropy", BINARY), ("multiclass", MULTI), ("multiclassova", MULTI)]},
    "LGBMClassifier, gaps": classifier(lightgbm.LGBMClassifier(**LGBM), GAPS),
    **{f"LGBMRegressor, {objective}": regressor(lightgbm.LGBMRegressor(objective=objective, **LGBM), data) for objective, data in [("regression", NUMBER), ("regression_l1", NUMBER), ("huber", NUMBER), ("fair", NUMBER), ("quantile", NUMBER), ("mape", NUMBER), ("poisson", COUNTS), ("gamma", COUNTS), ("tweedie", COUNTS)]},
}
