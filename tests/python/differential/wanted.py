"""The differences that stay, each with its reason, and what is compared of an error's sentence."""

# A request that names one of these is expected to be answered differently.
REASONS = {
    "malformed": "JSON that cannot be read is said to be so; MLflow takes it for {} and misses the first parameter",
    "malformed run": "the same, where MLflow misses another parameter",
    "not an object": "a body that is no object is a 400; MLflow answers 500",
    "bare NaN": "a bare NaN is no JSON; MLflow stores value 0 at time 0",
    "wrong type": "a field of the wrong type, or a name that no enum has, is a 400; MLflow drops it and whatever follows it",
    "bad name": "tags of a new run obey the rules that they obey later",
    "half a data set": "a data set needs name, digest and source; MLflow stores an empty one",
    "camelCase": "required fields may be spelled in camelCase, as optional ones may in MLflow",
    "climbing location": "locations that hold '..' or '#' are refused",
    "another query": "a page token belongs to its query; MLflow goes on at the offset",
    "start_time": "a run without start_time begins now; in MLflow in 1970",
    "no experiment": "a run without experiment goes to Default; MLflow fails on a foreign key and shows its SQL",
    "taken name": "the code of a name that is taken is always RESOURCE_ALREADY_EXISTS; MLflow shows SQL here",
    "deleted name": "when the name is that of a deleted experiment, the sentence goes on with how to free it",
    "default of max_results": "experiments/search has a default; MLflow's protobuf makes it 0, which it then refuses",
    "version as a number": "a version may be a number, as its answers in MLflow 2 were",
    "empty pages": "pages of no rows are refused everywhere; MLflow does so in some lists, and answers a token for ever in others",
    "status by name": "a logged model's status is found by its name, as the documentation says; MLflow compares with a number",
    "blank filter": "a filter of spaces is no filter, as an empty one is",
    "no name": "a comparison without a name is a 400; MLflow looks for a metric without one",
    "500": "the client's fault is a 400",
    "no experiment in OTLP": "a header that is missing is a 400 in MLflow's words; FastAPI answers 422 in its own",
    "no trace": "a tag needs a trace; MLflow fails on a foreign key and shows its SQL",
    "text for a number": "a number that is compared with a text is a 400; MLflow lets the database compare",
    "JSON for JSON": "an exporter that sends JSON is answered in JSON, as OTLP says; MLflow answers in protobuf",
    "no ids": "a span without ids is a 400; MLflow answers 422 in FastAPI's words",
    "words of FastAPI": "errors of /v1/traces have MLflow's code and message; MLflow's have FastAPI's `detail`",
    "OR, NOT, parentheses": "asked for since mlflow#6075",
}

# Sentences that MLflow's clients and tests match on: here ours must be theirs.
MESSAGES = [
    r"^Missing value for required parameter",
    r"^Invalid value .* for parameter",
    r"^Bad Request\. Content-Type",
    r"not found",
    r"exists",
    r"^Could not find experiment",
    r"must be in the",
    r"^No tag with name",
    r"^Changing param values",
    r"^Duplicate parameter keys",
    r"^A batch logging request",
    r"^Invalid path$",
    r"^Invalid experiment ID",
    r"^Request specifies both",
]

# Answers that describe the server itself.
BODIES_OF_OUR_OWN = [r"server-info"]
