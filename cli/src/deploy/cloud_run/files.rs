//! The texts of the folder: Dockerfile, service.yaml, README.md.

use super::Deployment;

/// Traffic of one revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// Name of the revision.
    pub revision: String,
    /// Percent.
    pub percent: u64,
    /// Tag with an address of its own.
    pub tag: Option<String>,
}

/// Two COPYs: nothing else is in the image. CA roots are inside the binary.
pub fn dockerfile(deployment: &Deployment) -> String {
    let file = deployment.module_file();
    let (from, to) = (json(&file), json(&format!("/model/{file}")));
    format!(
        "FROM scratch\n\
         COPY [\"beira\", \"/beira\"]\n\
         COPY [{from}, {to}]\n\
         USER 65532:65532\n\
         EXPOSE 8080\n\
         ENTRYPOINT [\"/beira\", \"infer\", \"--model\", {to}, \"--host\", \"0.0.0.0\", \"--auth\", \"none\"]\n"
    )
}

/// The Knative service. Without shares all traffic goes to the newest revision: a first deployment.
pub fn service(deployment: &Deployment, shares: &[Share]) -> String {
    let Deployment { service, image, revision, sha256, .. } = deployment;
    let environment = match &deployment.telemetry {
        Some(url) => format!("        env:\n        - name: BEIRA_TELEMETRY\n          value: {}\n", json(url)),
        None => String::new(),
    };
    let traffic: String = if shares.is_empty() {
        "  - latestRevision: true\n    percent: 100\n".to_owned()
    } else {
        let share = |share: &Share| {
            let tag = share.tag.as_ref().map(|tag| format!("    tag: {}\n", json(tag))).unwrap_or_default();
            format!("  - revisionName: {}\n    percent: {}\n{tag}", json(&share.revision), share.percent)
        };
        shares.iter().map(share).collect()
    };
    let model = &sha256[..12];
    format!(
        r#"apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: {service}
  annotations:
    run.googleapis.com/launch-stage: BETA # readiness probes
spec:
  template:
    metadata:
      name: {revision}
      labels:
        beira-module: "{model}"
      annotations:
        autoscaling.knative.dev/maxScale: "20"
        run.googleapis.com/startup-cpu-boost: "true"
    spec:
      containerConcurrency: 80
      timeoutSeconds: 30
      containers:
      - image: {image}
        ports:
        - name: http1
          containerPort: 8080
{environment}        resources:
          limits:
            cpu: "1"
            memory: 512Mi
        startupProbe:
          httpGet:
            path: /v2/health/ready
          periodSeconds: 1
          timeoutSeconds: 1
          failureThreshold: 30
        readinessProbe:
          httpGet:
            path: /v2/health/ready
          periodSeconds: 10
          timeoutSeconds: 1
        livenessProbe:
          httpGet:
            path: /v2/health/live
          periodSeconds: 30
          timeoutSeconds: 5
  traffic:
{traffic}"#
    )
}

/// The commands by hand, and what guards the service.
pub fn readme(deployment: &Deployment) -> String {
    let Deployment { model, sha256, service, project, region, image, revision, .. } = deployment;
    let repository = image.split('/').nth(2).unwrap_or("beira");
    format!(
        r#"# {model} on Cloud Run

The image is `FROM scratch`: one static binary (`beira`) and one module (`{model}.wasm`, sha256 `{sha256}`).

`beira deploy cloud-run … --run` does all of what follows, with a test before and after every shift of traffic.

Once for each project:

```sh
gcloud services enable run.googleapis.com artifactregistry.googleapis.com cloudbuild.googleapis.com --project {project}
gcloud artifacts repositories create {repository} --repository-format docker --location {region} --project {project}
```

The image, in Google's cloud or with a local engine:

```sh
gcloud builds submit . --tag {image} --project {project}
docker build -t {image} . && docker push {image}
```

The first deployment:

```sh
gcloud run services replace service.yaml --region {region} --project {project}
```

A later one, by hand: name the revision in production in `traffic:` of service.yaml with `percent: 100`, add this one
(`revisionName: {revision}`, `percent: 0`, `tag: candidate`), replace, test the tag's address, then shift:

```sh
gcloud run services update-traffic {service} --to-revisions {revision}=10 --region {region} --project {project}
gcloud run services update-traffic {service} --to-revisions OLD=100 --region {region} --project {project} # back
```

The server in the container asks nobody for tokens (`--auth none`): Cloud Run's IAM does. A new service takes requests
with an identity token alone; who may call it is said with

```sh
gcloud run services add-iam-policy-binding {service} --member … --role roles/run.invoker --region {region} --project {project}
curl -H "Authorization: Bearer $(gcloud auth print-identity-token)" SERVICE_URL/docs
```
"#
    )
}

/// A string as JSON, which YAML and Dockerfiles read too.
fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
