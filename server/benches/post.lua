-- wrk: the same JSON body, again and again.
wrk.method = "POST"
wrk.body = io.open(os.getenv("BODY")):read("a")
wrk.headers["Content-Type"] = "application/json"
