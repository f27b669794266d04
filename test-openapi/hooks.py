"""What Schemathesis cannot know: ids that exist, and that a timeout of a millisecond is answered as it asks for.

The ids come from run.ts, by the names that fields have in JSON. Two thirds of the requests have them; what deletes has
ids of its own, so that the others stay.
"""

import json
import os
import random

import schemathesis

IDS = json.loads(os.environ["CLAIMGATE_IDS"])
IDS_TO_DELETE = json.loads(os.environ["CLAIMGATE_IDS_TO_DELETE"])


def put_ids(value, ids, choose):
    if isinstance(value, list):
        return [put_ids(item, ids, choose) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: ids[name] if name in ids and isinstance(part, str) and choose() else put_ids(part, ids, choose)
        for name, part in value.items()
    }


@schemathesis.hook
def map_case(context, case):
    if "/Delete" in case.path:
        # Always, as Schemathesis remembers the ids that it has seen.
        ids, choose = IDS_TO_DELETE, lambda: True
    else:
        # The same for the same request, so that what fails can be repeated.
        chance = random.Random(f"{case.path} {case.body!r} {case.query!r}")
        ids, choose = IDS, lambda: chance.random() < 0.67
    case.body = put_ids(case.body, ids, choose)
    message = (case.query or {}).get("message")
    if isinstance(message, str):
        try:
            case.query["message"] = json.dumps(put_ids(json.loads(message), ids, choose))
        except ValueError:
            pass  # Wrong on purpose.
    elif message is not None:
        case.query["message"] = put_ids(message, ids, choose)
    if case.headers is not None:
        case.headers.pop("Connect-Timeout-Ms", None)
    return case
