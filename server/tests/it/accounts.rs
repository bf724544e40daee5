//! Tokens: every route, asked by nobody, by every role, and for what belongs to somebody else.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use beira_server::{Auth, Declared, NewToken, Permission, Resource, Role, Tokens};
use serde_json::{Value, json};

use crate::database::{self, on_both};
use crate::production::{champion, compiled, flower, serving};
use crate::support::{TestServer, bytes};

on_both! {
    every_route_by_nobody_every_role_and_for_anothers_things
    nothing_of_another_is_reached_by_a_second_name
    tokens_come_as_mlflow_sends_them_and_end
    a_models_reader_loads_it
}

const API: &str = "/api/2.0/mlflow";

/// A server that wants tokens, with two experiments of two teams, and a model of the second.
struct Teams {
    server: TestServer,
    tokens: Tokens,
    mine: Team,
    other: Team,
}

#[derive(Clone, Default)]
struct Team {
    experiment: String,
    experiment_name: String,
    run: String,
    logged: String,
    trace: String,
    model: String,
    module: String,
}

async fn teams() -> Teams {
    let server = serving().await;
    champion(&server).await;
    let module = compiled(&server).await["module"]["sha256"].as_str().unwrap().to_owned();
    let team = async |name: &str, model: &str, module: &str| {
        let answer = server.post(&format!("{API}/experiments/create"), json!({"name": name})).await;
        let experiment = text(&answer["experiment_id"]);
        let answer = server.post(&format!("{API}/runs/create"), json!({"experiment_id": experiment})).await;
        let run = text(&answer["run"]["info"]["run_id"]);
        let answer = server.post(&format!("{API}/logged-models"), json!({"experiment_id": experiment})).await;
        let logged = text(&answer["model"]["info"]["model_id"]);
        let file = format!("/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/f.txt");
        assert_eq!(server.put(&file, "secret").await, StatusCode::OK);
        let trace = format!("tr-{experiment:0>32}");
        server.post("/api/3.0/mlflow/traces", told(&trace, &experiment)).await;
        let (experiment_name, model, module) = (name.to_owned(), model.to_owned(), module.to_owned());
        Team { experiment, experiment_name, run, logged, trace, model, module }
    };
    let mine = team("mine", "my model", "").await;
    let other = team("others-secret", "iris", &module).await;
    server.post(&format!("{API}/registered-models/create"), json!({"name": "my model"})).await;
    let folder = server.stop().await;
    let tokens = Tokens::open(&database::of(folder.path())).await.unwrap();
    let server = TestServer::with(folder, |config| config.auth = Some(Auth::Tokens)).await;
    Teams { server, tokens, mine, other }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

impl Teams {
    async fn token(&self, role: Role, experiments: &[&str], models: &[&str]) -> String {
        let owned = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
        let (experiments, models) = (owned(experiments), owned(models));
        self.tokens.create(NewToken { role, name: String::new(), experiments, models, expires: None }).await.unwrap()
    }

    async fn ask(&self, token: Option<&str>, method: &Method, path: &str, body: &Value) -> (StatusCode, String) {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "127.0.0.1:8080")
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let response = self.server.send(request.body(Body::from(body.to_string())).unwrap()).await;
        let status = response.status();
        (status, String::from_utf8_lossy(&bytes(response).await).into_owned())
    }
}

fn location(experiment: &str) -> Value {
    json!({"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}})
}

/// A trace as its client tells it at the end.
fn told(id: &str, experiment: &str) -> Value {
    let at = "2026-01-01T00:00:00Z";
    let info = json!({"trace_id": id, "trace_location": location(experiment), "request_time": at, "state": "OK"});
    json!({"trace": {"trace_info": info}})
}

/// A request to `route` for what belongs to `team`; one that names nothing without a team.
fn request(route: &Declared, team: Option<&Team>) -> (String, Value) {
    let Some(Team { experiment, experiment_name, run, logged, trace, model, module }) = team else {
        return (filled(&route.path, ["nobody"; 4]), json!({}));
    };
    let file = format!("{experiment}/{run}/artifacts/f.txt");
    let path = filled(&route.path, [&model.replace(' ', "%20"), logged, trace, &file]);
    let fields = match route.resource {
        None | Some(Resource::Nothing | Resource::Everything | Resource::LoggedModel | Resource::ModelInPath) => {
            json!({})
        }
        Some(Resource::Artifact | Resource::TraceInPath) => json!({}),
        Some(Resource::NewTrace) => told(trace, experiment),
        Some(Resource::Trace(field)) => json!({field: trace}),
        Some(Resource::Traces(field)) => json!({field: [trace]}),
        Some(Resource::Locations) => json!({"locations": [location(experiment)]}),
        Some(Resource::Experiment(field)) => json!({field: experiment}),
        Some(Resource::Experiments(field)) => json!({field: [experiment]}),
        Some(Resource::ExperimentNamed(field)) => json!({field: experiment_name}),
        Some(Resource::Run | Resource::RunOrLoggedModel) => json!({"run_id": run}),
        Some(Resource::Runs(field)) => json!({field: [run]}),
        Some(Resource::NewLoggedModel) => json!({"experiment_id": experiment}),
        Some(Resource::Model(list)) => list.iter().map(|field| (*field, model.as_str())).collect(),
        Some(Resource::NewVersion) => json!({"name": model, "source": format!("runs:/{run}/artifacts")}),
        Some(Resource::ArtifactFolder) => json!({"path": format!("{experiment}/{run}/artifacts")}),
        Some(Resource::Counters) => json!({"module_sha256": module}),
        Some(Resource::RunInQuery(field)) => return (format!("{path}?{field}={run}&path=f.txt"), json!("x")),
    };
    if route.method != Method::GET {
        return (path, fields);
    }
    let pairs = fields.as_object().unwrap().iter().map(|(name, value)| {
        let value = value.as_array().map_or(value, |list| &list[0]);
        format!("{name}={}", value.as_str().unwrap().replace(' ', "%20"))
    });
    (format!("{path}?{}", pairs.collect::<Vec<_>>().join("&")), json!({}))
}

fn filled(path: &str, [model, logged, trace, file]: [&str; 4]) -> String {
    let path = path.replace("{trace_id}", trace);
    path.replace("{name}", model).replace("{model_id}", logged).replace("{*path}", file).replace(['{', '}'], "")
}

fn refused(status: StatusCode) -> bool {
    status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN
}

async fn every_route_by_nobody_every_role_and_for_anothers_things() {
    let teams = teams().await;
    let routes = &teams.server.routes;
    assert!(routes.len() > 150, "{}", routes.len());

    let mut roles = Vec::new();
    for role in Role::ALL {
        roles.push((role, teams.token(role, &[], &[]).await));
    }
    for route in routes {
        let at = format!("{} {}", route.method, route.path);
        let (path, body) = request(route, None);
        let (status, answer) = teams.ask(None, &route.method, &path, &body).await;
        let public = matches!(route.permission, Permission::Public | Permission::SignIn);
        assert_eq!(refused(status), !public, "{at} by nobody: {status} {answer}");
        assert!(public || status == StatusCode::UNAUTHORIZED, "{at} by nobody: {status} {answer}");
        for (role, token) in &roles {
            let (status, answer) = teams.ask(Some(token), &route.method, &path, &body).await;
            assert_eq!(refused(status), !role.may(route.permission), "{at} by {role}: {status} {answer}");
            assert!(status != StatusCode::UNAUTHORIZED, "{at} by {role}: {answer}");
        }
    }

    let (mine, other) = (&teams.mine, &teams.other);
    let limited = teams.token(Role::Admin, &[&mine.experiment], &[&mine.model]).await;
    for route in routes {
        let at = format!("{} {}", route.method, route.path);
        let (path, body) = request(route, Some(other));
        let (status, answer) = teams.ask(Some(&limited), &route.method, &path, &body).await;
        match route.resource {
            Some(Resource::Nothing) => assert!(!refused(status), "{at}: {status} {answer}"),
            None => {
                assert!(!refused(status), "{at}: {status} {answer}");
                assert!(!answer.contains("secret") && !answer.contains("iris"), "{at} tells of others: {answer}");
            }
            Some(_) => assert_eq!(status, StatusCode::FORBIDDEN, "{at} of another: {answer}"),
        }
    }
    // The same requests are let through once it is granted, so it was the grant that they lacked.
    let granted = teams.token(Role::Admin, &[&other.experiment], &[&other.model]).await;
    let mut theirs: Vec<&Declared> =
        routes.iter().filter(|route| route.resource != Some(Resource::Everything)).collect();
    theirs.sort_by_key(|route| route.method == Method::DELETE); // what the others ask for must be there
    for route in theirs {
        let (path, body) = request(route, Some(other));
        let (status, answer) = teams.ask(Some(&granted), &route.method, &path, &body).await;
        assert!(!refused(status), "{} {} of one's own: {status} {answer}", route.method, route.path);
    }
}

async fn nothing_of_another_is_reached_by_a_second_name() {
    let teams = teams().await;
    let (mine, other) = (&teams.mine, &teams.other);
    let token = teams.token(Role::Admin, &[&mine.experiment_name], &[&mine.model]).await;
    let check = async |method: Method, path: String, body: Value, mine: bool| {
        let (status, answer) = teams.ask(Some(&token), &method, &path, &body).await;
        assert_eq!(status == StatusCode::FORBIDDEN, !mine, "{method} {path} {body}: {status} {answer}");
    };
    let post =
        async |path: &str, body: Value, mine: bool| check(Method::POST, format!("{API}/{path}"), body, mine).await;
    let (run, others_run) = (mine.run.as_str(), other.run.as_str());

    // What stands beside a run of one's own.
    let metric = |model: &str| json!({"key": "m", "value": 1, "timestamp": 1, "step": 0, "model_id": model});
    for (logged, allowed) in [(&mine.logged, true), (&other.logged, false), (&"m-nobody".to_owned(), false)] {
        post("runs/log-batch", json!({"run_id": run, "metrics": [metric(logged)]}), allowed).await;
        post("runs/log-batch", json!({"runId": run, "metrics": [{"modelId": logged}]}), allowed).await;
        post("runs/log-inputs", json!({"run_id": run, "models": [{"model_id": logged}]}), allowed).await;
        post("runs/outputs", json!({"run_id": run, "models": [{"model_id": logged, "step": 0}]}), allowed).await;
        let mut one = metric(logged);
        one["run_id"] = run.into();
        post("runs/log-metric", one, allowed).await;
    }
    // Two ids in one request, in every spelling.
    for body in
        [json!({"run_uuid": others_run}), json!({"runId": others_run}), json!({"run_id": "", "run_uuid": others_run})]
    {
        post("runs/set-tag", body, false).await;
    }
    let upload = format!("/ajax-api/2.0/mlflow/upload-artifact?run_id={run}&run_uuid={others_run}&path=x.txt");
    check(Method::POST, upload, json!("x"), false).await;
    post("runs/search", json!({"experiment_ids": [mine.experiment, other.experiment]}), false).await;
    post("runs/search", json!({"experiment_ids": []}), true).await; // 400: a limited token names experiments
    post("runs/create", json!({}), false).await; // experiment 0
    post("logged-models", json!({"experiment_id": mine.experiment, "source_run_id": others_run}), false).await;
    let of_runs = format!("{API}/metrics/get-history-bulk-interval?metric_key=m&run_ids={run}&run_ids={others_run}");
    check(Method::GET, of_runs, json!({}), false).await;

    // A trace's id is its client's choice.
    let (trace, theirs) = (&mine.trace, &other.trace);
    check(Method::POST, "/api/3.0/mlflow/traces".to_owned(), told(theirs, &mine.experiment), false).await;
    check(Method::POST, "/api/3.0/mlflow/traces".to_owned(), told("tr-new", &mine.experiment), true).await;
    post("traces/link-to-run", json!({"run_id": run, "trace_ids": [theirs]}), false).await;
    post("traces/link-to-run", json!({"run_id": others_run, "trace_ids": [trace]}), false).await;
    post("traces/link-to-run", json!({"run_id": run, "trace_ids": [trace, "tr-not-yet"]}), true).await;
    let id = |trace: &str| trace.trim_start_matches("tr-").to_owned();
    for (trace, experiment, run, expected) in [
        (trace, &mine.experiment, run, StatusCode::OK),
        (theirs, &mine.experiment, run, StatusCode::FORBIDDEN),
        (trace, &other.experiment, run, StatusCode::FORBIDDEN),
        (trace, &mine.experiment, others_run, StatusCode::FORBIDDEN),
    ] {
        let span = json!({"traceId": id(trace), "spanId": "0000000000000001", "name": "s", "startTimeUnixNano": "1"});
        let request = Request::builder()
            .method(Method::POST)
            .uri("/v1/traces")
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header("x-mlflow-experiment-id", experiment)
            .header("x-mlflow-run-id", run)
            .body(Body::from(json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).to_string()))
            .unwrap();
        assert_eq!(teams.server.send(request).await.status(), expected, "{trace} {experiment} {run}");
    }

    // Where a version's files come from.
    let version = |source: &str| json!({"name": mine.model, "source": source});
    let (experiment, others) = (&mine.experiment, &other.experiment);
    for (source, allowed) in [
        (format!("runs:/{run}/model"), true),
        (format!("models:/{}", mine.logged), true),
        (format!("mlflow-artifacts:/{experiment}/{run}/artifacts"), true),
        (format!("mlflow-artifacts://elsewhere/{experiment}/{run}/artifacts"), true),
        (format!("runs:/{others_run}/model"), false),
        (format!("models:/{}", other.logged), false),
        ("models:/iris/1".to_owned(), false),
        (format!("mlflow-artifacts:/{others}/{others_run}/artifacts"), false),
        (format!("mlflow-artifacts://elsewhere/{others}/{others_run}"), false),
        (format!("mlflow-artifacts:/{experiment}0/x"), false),
        ("mlflow-artifacts:/".to_owned(), false),
        ("s3://bucket/model".to_owned(), false),
    ] {
        post("model-versions/create", version(&source), allowed).await;
    }
    for (field, value) in [("run_id", others_run), ("model_id", &other.logged)] {
        let mut body = version(&format!("models:/{}", mine.logged));
        body[field] = value.into();
        post("model-versions/create", body, false).await;
    }
    post("registered-models/rename", json!({"name": mine.model, "new_name": "iris"}), false).await;

    // Paths of artifacts, in other spellings.
    let files = "/api/2.0/mlflow-artifacts/artifacts";
    let encoded: String = others.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let twice = encoded.replace('%', "%25");
    for path in [
        format!("{others}/x"),
        format!("{encoded}/x"),
        format!("{others}%2Fx"),
        format!("{twice}/x"),
        format!("//{others}/x"),
        "x".to_owned(),
    ] {
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            check(method, format!("{files}/{path}"), json!("x"), false).await;
        }
        check(Method::GET, format!("{files}?path={path}"), json!({}), false).await;
    }
    check(Method::GET, files.to_owned(), json!({}), false).await;
    check(Method::PUT, format!("{files}/{experiment}/x"), json!("x"), true).await;

    // Predictions go past the router, or do not.
    for path in ["/predict/iris", "/predict/%69ris", "/v2/models/%69ris/infer"] {
        check(Method::POST, path.to_owned(), flower(), false).await;
    }
    check(Method::POST, format!("/predict/{}", mine.model.replace(' ', "%20")), flower(), true).await;
}

async fn tokens_come_as_mlflow_sends_them_and_end() {
    let teams = teams().await;
    let token = teams.token(Role::Viewer, &[], &[]).await;
    let ask = async |value: &str| {
        let request = Request::builder()
            .uri(format!("{API}/experiments/get?experiment_id=0"))
            .header(header::HOST, "localhost")
            .header(header::AUTHORIZATION, value)
            .body(Body::empty())
            .unwrap();
        let response = teams.server.send(request).await;
        let wants = response.headers().get(header::WWW_AUTHENTICATE).map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), wants)
    };
    let basic = |user: &str, password: &str| format!("Basic {}", base64(&format!("{user}:{password}")));
    let let_in = (200, None);
    let turned_away = (401, Some("Bearer".to_owned()));
    assert_eq!(ask(&format!("Bearer {token}")).await, let_in);
    assert_eq!(ask(&basic("ada", &token)).await, let_in);
    assert_eq!(ask(&basic("", &token)).await, let_in);
    let last = if token.ends_with('0') { '1' } else { '0' };
    let wrong = format!("{}{last}", &token[..token.len() - 1]);
    for value in [
        format!("Bearer {wrong}"),
        basic("admin", "password1234"),
        basic(&token, ""),
        "Bearer".to_owned(),
        token.clone(),
    ] {
        assert_eq!(ask(&value).await, turned_away, "{value}");
    }
    let expired = NewToken {
        role: Role::Admin,
        name: "old".to_owned(),
        experiments: Vec::new(),
        models: Vec::new(),
        expires: Some(1),
    };
    let expired = teams.tokens.create(expired).await.unwrap();
    assert_eq!(ask(&format!("Bearer {expired}")).await, turned_away);

    let shown = format!("{:?}", teams.tokens.list().await.unwrap());
    assert!(!shown.contains(&token[24..]), "a list shows no secret");
    let id = token.split('_').nth(1).unwrap();
    assert!(teams.tokens.revoke(id).await.unwrap());
    assert!(!teams.tokens.revoke(id).await.unwrap());
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    assert_eq!(ask(&format!("Bearer {token}")).await, turned_away);

    // Counters bring their token in the body or in the address, and only counters do.
    let ingest = teams.token(Role::Ingest, &[], &["iris"]).await;
    let flush = |key: &str| json!({"ingest_key": key, "module_sha256": teams.other.module});
    let unfinished = StatusCode::UNPROCESSABLE_ENTITY;
    let (status, _) = teams.ask(None, &Method::POST, "/telemetry/counters", &flush(&ingest)).await;
    assert_eq!(status, unfinished);
    let (status, _) = teams.ask(None, &Method::POST, "/telemetry/counters", &flush(&wrong)).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let path = format!("/telemetry/counters?ingest_key={ingest}");
    assert_eq!(teams.ask(None, &Method::POST, &path, &flush("")).await.0, unfinished);
    let path = format!("/api/beira/overview?ingest_key={ingest}");
    assert_eq!(teams.ask(None, &Method::GET, &path, &json!({})).await.0, StatusCode::UNAUTHORIZED);
    let missing = teams.tokens.create(NewToken {
        role: Role::Viewer,
        name: String::new(),
        experiments: vec!["nobody's".to_owned()],
        models: Vec::new(),
        expires: None,
    });
    assert!(missing.await.unwrap_err().to_string().contains("There is no experiment nobody's"));
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// What `mlflow.pyfunc.load_model("models:/iris/1")` asks for, by somebody who was granted the model alone.
async fn a_models_reader_loads_it() {
    let teams = teams().await;
    let token = teams.token(Role::Viewer, &[], &["iris"]).await;
    let get = async |path: &str| teams.ask(Some(&token), &Method::GET, path, &json!({})).await;
    let (status, answer) = get(&format!("{API}/model-versions/get-download-uri?name=iris&version=1")).await;
    assert_eq!((status, answer.contains("mlflow-artifacts:/models/iris")), (StatusCode::OK, true), "{answer}");
    let files = "/api/2.0/mlflow-artifacts/artifacts";
    assert_eq!(get(&format!("{files}?path=models/iris")).await.0, StatusCode::OK);
    assert_eq!(get(&format!("{files}/models/iris/model.onnx")).await.0, StatusCode::OK);
    assert_eq!(get(&format!("{files}/models/irises/model.onnx")).await.0, StatusCode::FORBIDDEN);
    assert_eq!(get("/modules/iris/@champion").await.0, StatusCode::OK);
    let deployer = teams.token(Role::Deployer, &[], &["iris"]).await;
    let path = format!("{files}/models/iris/model.onnx");
    let (status, _) = teams.ask(Some(&deployer), &Method::DELETE, &path, &json!({})).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "the files stay as they were registered");
    let (status, answer) = teams.ask(Some(&token), &Method::POST, "/predict/iris", &flower()).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
}
