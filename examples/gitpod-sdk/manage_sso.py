"""Manages SSO configurations of Claimgate with gitpod-sdk, the client that is published for the compatible API."""

import os

from gitpod import BadRequestError, ConflictError, Gitpod, NotFoundError

# region first-call
# It repeats calls by itself while the server is not there, changes included: a creation whose answer was lost then
# ends in ConflictError, and nothing is created twice.
client = Gitpod(
    base_url=os.environ["CLAIMGATE_URL"],
    bearer_token=os.environ["CLAIMGATE_TOKEN"],
    timeout=10,
)
organization_id = client.identity.get_authenticated_identity().organization_id
# endregion

sso_configurations = client.organizations.sso_configurations

print("empty:", sso_configurations.list(organization_id=organization_id).sso_configurations)


def create(client_id: str) -> str:
    created = sso_configurations.create(
        organization_id=organization_id,
        issuer_url="https://idp.example.com",
        client_id=client_id,
        client_secret="what the identity provider has given",
        email_domains=["example.com"],
        # Fields of the API that are younger than the client.
        extra_body={"additionalScopes": ["groups"], "claimsExpression": '"staff" in claims.groups'},
    )
    return created.sso_configuration.id


ids = [create(f"client-{number}") for number in range(1, 61)]
print("created:", len(ids))

# The list fetches its pages, of 25 unless asked, while it is walked.
listed = [configuration.id for configuration in sso_configurations.list(organization_id=organization_id)]
print(f"listed: {len(listed)}, {'each once' if listed == ids else 'and they differ'}")

changes = {
    "leave": {"display_name": "Example Ltd"},
    "set": {
        "claims": {"groups": "roles"},
        "extra_body": {
            "additionalScopes": {"scopes": ["groups", "offline_access"]},
            "claimsExpression": "claims.email_verified",
        },
    },
    "clear": {
        "claims": {"groups": ""},
        "extra_body": {"additionalScopes": {"scopes": []}, "claimsExpression": ""},
    },
}
for name, change in changes.items():
    sso_configurations.update(sso_configuration_id=ids[0], **change)
    # What the client does not know it keeps as it came.
    after = sso_configurations.retrieve(sso_configuration_id=ids[0]).sso_configuration.to_dict()
    print(
        f"{name}: name [{after['displayName']}], scopes [{' '.join(after['additionalScopes'])}],"
        f" rule [{after['claimsExpression']}], claims {after['claims']}"
    )

try:
    create("client-1")
except ConflictError as error:
    print("already_exists:", error.body["code"])
try:
    sso_configurations.update(sso_configuration_id=ids[0], issuer_url="not a URL")
except BadRequestError as error:
    print("invalid_argument:", error.body["message"])

for sso_configuration_id in ids:
    sso_configurations.delete(sso_configuration_id=sso_configuration_id)
print("deleted:", len(ids))

try:
    sso_configurations.retrieve(sso_configuration_id=ids[0])
except NotFoundError:
    print("not_found: what is deleted is gone")
