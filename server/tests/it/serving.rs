//! What `/docs`, `/openapi.json` and MLflow's scoring protocol say of the model that is served.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::database::on_both;
use crate::production::{champion, flower, serving};
use crate::support::{TestServer, bytes};

on_both! {
    the_document_is_typed_from_the_signature
    the_page_needs_nobody_else
    mlflows_scoring_protocol
    probes_are_not_counted
}

async fn the_document_is_typed_from_the_signature() {
    let server = serving().await;
    let none = server.get("/openapi.json").await;
    assert!(none["paths"].get("/predict/iris").is_none(), "nothing has the alias yet");
    champion(&server).await;
    let document = server.get("/openapi.json").await;
    insta::assert_json_snapshot!(
        "the_document_is_typed_from_the_signature",
        json!({
            "predict": document["paths"]["/predict/iris"],
            "input": document["components"]["schemas"]["iris.Input"],
            "output": document["components"]["schemas"]["iris.Output"],
            "paths": document["paths"].as_object().unwrap().keys().filter(|path| path.contains("iris")).collect::<Vec<_>>(),
        })
    );
    // What the document gives as an example is taken.
    server.post("/predict/iris", document["components"]["schemas"]["iris.Input"]["examples"][0].clone()).await;
}

async fn the_page_needs_nobody_else() {
    let server = TestServer::start().await;
    for (path, kind) in [("/docs", "text/html"), ("/docs/docs.css", "text/css"), ("/docs/docs.js", "text/javascript")] {
        let request = Request::builder().uri(path).header("host", "localhost").body(Body::empty()).unwrap();
        let response = server.send(request).await;
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert!(header("content-type").starts_with(kind), "{path}");
        assert!(header("content-security-policy").contains("default-src 'none'"), "{path}");
        let text = String::from_utf8(bytes(response).await).unwrap();
        assert!(!text.contains("http://") && !text.contains("https://"), "{path} names another address");
    }
}

async fn mlflows_scoring_protocol() {
    let server = serving().await;
    let (status, _) = server.ask(Method::GET, "/ping", "").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    champion(&server).await;
    assert_eq!(server.get("/ping").await, json!("\n"));

    let expected = server.post("/predict/iris", json!([flower(), flower()])).await;
    let columns = json!(["X[0]", "X[1]", "X[2]", "X[3]"]);
    let row = json!([5.1, 3.5, 1.4, 0.2]);
    for body in [
        json!({"dataframe_split": {"columns": columns, "data": [row, row]}}),
        json!({"dataframe_records": [flower(), flower()]}),
        json!({"inputs": {"X": [row, row]}}),
        json!({"instances": [row, row]}),
    ] {
        assert_eq!(server.post("/invocations", body.clone()).await["predictions"], expected, "{body}");
    }
    let refused = server.refused("/invocations", r#"{"inputs": [["secret", 1, 2, 3]]}"#).await;
    assert_eq!(refused, "400 BAD_REQUEST body[0].X[0]: Input should be a valid number");
    let request = Request::builder()
        .method(Method::POST)
        .uri("/invocations")
        .header("host", "localhost")
        .header("content-type", "text/plain")
        .body(Body::empty())
        .unwrap();
    assert_eq!(server.send(request).await.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

async fn probes_are_not_counted() {
    let server = serving().await;
    champion(&server).await;
    let request = |path: &str, body: Value| {
        Request::builder()
            .method(Method::POST)
            .uri(path)
            .header("host", "localhost")
            .header("content-type", "application/json")
            .header("x-beira-probe", "smoke")
            .body(Body::from(body.to_string()))
            .unwrap()
    };
    let tensor = json!({"name": "X", "shape": [1, 4], "datatype": "FP32", "data": [5.1, 3.5, 1.4, 0.2]});
    for (path, body) in [
        ("/predict/iris", flower()),
        ("/invocations", json!({"instances": [flower()]})),
        ("/v2/models/iris/infer", json!({"inputs": [tensor]})),
    ] {
        assert_eq!(server.send(request(path, body)).await.status(), StatusCode::OK, "{path}");
    }
    server.post("/predict/iris", flower()).await;
    let server = TestServer::open(server.stop().await).await;
    let production = server.get("/api/beira/models/iris/production?minutes=60").await;
    assert_eq!(production["totals"][0]["predictions"], 1);
}
