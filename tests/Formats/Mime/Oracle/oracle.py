#!/usr/bin/env python3
"""Reads messages with Python's email package, as an oracle for `cbamail check mime`.

Standard input:  {"id": ..., "message": base64} lines, as `cbamail check mime --lines` takes them.
Standard output: one JSON line a message: {"id", "compat32": PART, "default": PART}, where a PART has type, subtype,
parameters, encoding, disposition, filename, sha256 and size of the decoded content, children, and its header fields in
order with their decoded values; under the default policy also the addresses and dates of the fields that hold them.
Where Python itself fails, the value is {"failed": "why"}.
"""
import base64
import email
import email.header
import email.headerregistry as registry
import email.policy
import email.utils
import hashlib
import json
import re
import sys
import warnings

warnings.simplefilter("ignore")


def guarded(read):
    """The value, or why Python could not give it."""
    try:
        return read()
    except Exception as e:  # noqa: BLE001 - an oracle that fails is a finding, not an end
        return {"failed": f"{type(e).__name__}: {e}"[:200]}


def text(value):
    """No lone surrogates: they cannot be written as JSON in UTF-8, and stand for bytes that Python could not read."""
    return re.sub("[\ud800-\udfff]", "\ufffd", str(value))


def unfold(value):
    """RFC 5322 2.2.3; compat32 keeps the line ends in its values."""
    return re.sub("[\r\n]", "", value)


def compat_value(value):
    # a Header object where there are raw 8-bit bytes, which decode_header takes as one unknown chunk
    if isinstance(value, email.header.Header):
        return text(unfold(str(value)))
    return text(unfold(str(email.header.make_header(email.header.decode_header(value)))))


def moment(date):
    # a time without zone is Python's word for -0000: UTC, from nobody knows where (RFC 5322 3.3)
    return None if date is None else date.isoformat() if date.tzinfo else date.isoformat() + "+00:00"


def header(name, value, modern):
    field = {"name": text(name)}
    if not modern:
        field["value"] = guarded(lambda: compat_value(value))
        return field
    kind = type(value)
    field["value"] = text(value)
    if issubclass(kind, registry.AddressHeader):
        field["addresses"] = guarded(lambda: [[text(a.display_name), text(a.addr_spec)] for a in value.addresses])
    elif issubclass(kind, registry.DateHeader):
        field["date"] = guarded(lambda: moment(value.datetime))
    if not issubclass(kind, registry.UnstructuredHeader) or issubclass(kind, (registry.DateHeader, registry.AddressHeader)):
        field["structured"] = True
    return field


def parameters(part, modern):
    if modern:
        field = part.get("content-type")
        return {text(k): text(v) for k, v in field.params.items()} if field is not None else {}
    pairs = {}
    for name, value in (part.get_params(unquote=True) or [])[1:]:
        pairs.setdefault(text(name), text(email.utils.collapse_rfc2231_value(value)))
    return pairs


def encoding(part, modern):
    field = part.get("content-transfer-encoding")
    if field is None:
        return None
    return text(field.cte if modern else field).strip().lower()


def headers(part, modern):
    # items() parses all at once: one field that Python cannot read must not hide the others
    fields = []
    for name, raw in part.raw_items():
        value = guarded(lambda: part.policy.header_fetch_parse(name, raw))
        fields.append({"name": text(name), "value": value} if isinstance(value, dict) else header(name, value, modern))
    return fields


def describe(part, modern):
    out = {
        "headers": headers(part, modern),
        "type": guarded(lambda: text(part.get_content_maintype())),
        "subtype": guarded(lambda: text(part.get_content_subtype())),
        "parameters": guarded(lambda: parameters(part, modern)),
        "encoding": guarded(lambda: encoding(part, modern)),
        "disposition": guarded(lambda: part.get_content_disposition()),
        "filename": guarded(lambda: None if part.get_filename() is None else text(part.get_filename())),
    }
    if part.is_multipart():
        out["children"] = [describe(child, modern) for child in part.get_payload()]
    else:
        out["children"] = []
        content = guarded(lambda: part.get_payload(decode=True))
        if isinstance(content, bytes):
            out["size"] = len(content)
            out["sha256"] = hashlib.sha256(content).hexdigest()
        else:
            out["sha256"] = content
    return out


def read(message):
    return {
        "compat32": guarded(lambda: describe(email.message_from_bytes(message, policy=email.policy.compat32), False)),
        "default": guarded(lambda: describe(email.message_from_bytes(message, policy=email.policy.default), True)),
    }


def main():
    sys.setrecursionlimit(10_000)
    for line in sys.stdin.buffer:
        line = json.loads(line)
        print(json.dumps({"id": line["id"], **read(base64.b64decode(line["message"]))}, ensure_ascii=True), flush=True)


if __name__ == "__main__":
    main()
