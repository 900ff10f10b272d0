import TestSupport

/// What programs may rely on in the status as JSON: a schema (JSON Schema, draft 2020-12).
enum StatusSchema {
    /// - Throws: `TestFailure` that names what does not fit.
    static func check(_ json: String) throws {
        _ = try Python.run(
            """
            import json, sys, jsonschema
            schema = json.loads(r'''\(text)''')
            jsonschema.Draft202012Validator.check_schema(schema)
            with open(sys.argv[1], encoding="utf-8") as value:
                jsonschema.Draft202012Validator(schema).validate(json.load(value))
            """, on: json)
    }

    private static let text = """
        {
          "type": "object",
          "required": [
            "pool", "start time", "start since", "requests", "server errors", "client errors", "failed writes",
            "slow requests", "timeouts", "refused heads", "total workers", "active workers", "idle workers",
            "max active workers", "stuck workers", "accepted conn", "refused peers", "open conn", "idle conn",
            "reading head", "reading body", "working", "waiting", "streaming", "sending", "closing", "sessions",
            "user sessions", "anonymous sessions", "session bytes", "sessions created", "sessions rotated",
            "sessions destroyed", "sessions revoked", "sessions expired", "sessions evicted", "sessions refused",
            "gc lag", "gc slice", "reused ids", "store failures", "spool errors", "log errors", "dropped log lines",
            "refused", "latency"
          ],
          "properties": {
            "pool": { "type": "string" },
            "start time": { "type": "integer", "minimum": 1500000000 },
            "gc lag": { "type": "number", "minimum": 0 },
            "gc slice": { "type": "number", "minimum": 0 },
            "refused": { "type": "object", "additionalProperties": { "type": "integer", "minimum": 1 } },
            "latency": {
              "type": "object",
              "required": ["median", "p90", "p99"],
              "additionalProperties": { "type": ["number", "null"], "minimum": 0 }
            },
            "running requests": {
              "type": "array",
              "items": {
                "type": "object",
                "required": ["state", "worker", "duration", "method", "path", "id"],
                "properties": {
                  "state": { "enum": ["reading", "running", "waiting", "stuck", "streaming", "sending"] },
                  "worker": { "type": ["integer", "null"], "minimum": 0 },
                  "duration": { "type": "number", "minimum": 0 },
                  "method": { "type": "string" },
                  "path": { "type": "string", "pattern": "^[^?]*$" },
                  "id": { "type": ["string", "null"] }
                },
                "additionalProperties": false
              }
            },
            "settings": { "type": "object", "additionalProperties": { "type": "string" } }
          },
          "additionalProperties": { "type": "integer", "minimum": 0 }
        }
        """
}
