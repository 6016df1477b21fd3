"""A campus on loopback: Moodle's web services and a learning platform (LTI 1.3 Names and Role Provisioning Services 2.0), as far as rosters ask them.

campus.py PORT STATE: STATE is a JSON file that is read for each request. The signature of an assertion is checked by the library cryptography,
with the key that the tool publishes. What was asked is appended to STATE.log.
"""
import base64
import json
import sys
import time
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

PORT, STATE = int(sys.argv[1]), sys.argv[2]
HERE = f"http://127.0.0.1:{PORT}"
SCOPE = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
seen, tokens = set(), {}


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def assertion_problem(state, form):
    if form.get("grant_type") != "client_credentials":
        return "unsupported_grant_type"
    if form.get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer":
        return "invalid_client"
    if form.get("scope") != SCOPE:
        return "invalid_scope"
    head, body, proof = form["client_assertion"].split(".")
    header, claims = json.loads(decode(head)), json.loads(decode(body))
    with urllib.request.urlopen(state["jwks"]) as answer:
        assert answer.headers["Content-Type"].startswith("application/jwk-set+json")
        keys = {key["kid"]: key for key in json.load(answer)["keys"]}
    key = keys[header["kid"]]
    assert header["alg"] == "RS256" and key["kty"] == "RSA" and "d" not in key
    number = lambda name: int.from_bytes(decode(key[name]), "big")
    rsa.RSAPublicNumbers(number("e"), number("n")).public_key().verify(decode(proof), f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256())
    now = time.time()
    if claims["iss"] != state["client"] or claims["sub"] != state["client"] or claims["aud"] != HERE + "/lti/token":
        return "invalid_client"
    if not claims["iat"] <= now + 5 or not now < claims["exp"] <= now + 600 or claims["jti"] in seen:
        return "invalid_client"
    seen.add(claims["jti"])
    return None


class Campus(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, kind="application/json", links=()):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for url, relation in links:
            self.send_header("Link", f'<{url}>; rel="{relation}"')
        self.end_headers()
        self.wfile.write(data)

    def begin(self, what):
        with open(STATE + ".log", "a") as log:
            log.write(what + "\n")
        with open(STATE) as file:
            return json.load(file)

    def do_POST(self):
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        if self.path == "/lti/token":
            state = self.begin("token")
            try:
                problem = assertion_problem(state, form)
            except Exception as error:  # a bad signature is no fault of this program
                problem = "invalid_client: " + repr(error)
            if problem:
                return self.answer(400, {"error": problem})
            token = "t%d" % (len(tokens) + 1)
            tokens[token] = state.get("epoch", 0)
            return self.answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600, "scope": SCOPE})
        state = self.begin(form.get("wsfunction", "?"))
        if not self.path.startswith("/moodle/webservice/rest/server.php") or form.get("moodlewsrestformat") != "json":
            return self.answer(404, {})
        if form.get("wstoken") != state["token"]:
            return self.answer(200, {"exception": "moodle_exception", "errorcode": "invalidtoken", "message": "Invalid token - token not found"})
        function = form["wsfunction"]
        if function == "core_course_get_courses_by_field":
            return self.answer(200, {"courses": [c for c in state["courses"] if str(c.get(form["field"], "")) == form["value"]], "warnings": []})
        if function == "core_group_get_course_groups":
            return self.answer(200, state["groups"])
        if function == "core_enrol_get_enrolled_users":
            options = {form[f"options[{i}][name]"]: form[f"options[{i}][value]"] for i in range(4)}
            if form["courseid"] != str(state["courses"][0]["id"]):
                return self.answer(200, {"exception": "dml_missing_record_exception", "errorcode": "invalidrecord", "message": "Can't find data record in database."})
            users = [user for user in state["users"] if user.pop("active", True) or options["onlyactive"] != "1"]
            start = int(options["limitfrom"])
            return self.answer(200, users[start:start + int(options["limitnumber"])])
        return self.answer(200, {"exception": "dml_missing_record_exception", "errorcode": "invalidrecord", "message": "No such function"})

    def do_GET(self):
        state = self.begin(self.path)
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        token = (self.headers["Authorization"] or "").removeprefix("Bearer ")
        if tokens.get(token) != state.get("epoch", 0):
            return self.answer(401, {"error": "invalid_token"})
        if self.headers["Accept"] != "application/vnd.ims.lti-nrps.v2.membershipcontainer+json":
            return self.answer(406, {})
        if "since" in query:
            if "differences" not in state:
                return self.answer(410, {})
            return self.answer(200, {"id": HERE + self.path, "members": state["differences"]}, links=[(f"{HERE}/lti/members?since=2", "differences")])
        start, page = int(query.get("from", 0)), state.get("page", 2)
        links = [(f"{HERE}/lti/members?from={start + page}", "next")] if start + page < len(state["members"]) else []
        if state.get("elsewhere"):
            links = [(state["elsewhere"], "next")]
        elif "differences" in state:
            links.append((f"{HERE}/lti/members?since=1", "differences"))
        self.answer(200, {"id": HERE + "/lti/members", "context": {"id": "c1"}, "members": state["members"][start:start + page]},
                    "application/vnd.ims.lti-nrps.v2.membershipcontainer+json", links)


ThreadingHTTPServer(("127.0.0.1", PORT), Campus).serve_forever()
