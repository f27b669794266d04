"""Manages SSO configurations of Claimgate from Python, with grpcio."""

import json
import os
from collections.abc import Iterator
from urllib.parse import urlsplit

import grpc
from buf.validate.validate_pb2 import Violations
from gitpod.v1 import identity_pb2, identity_pb2_grpc, organization_pb2, organization_pb2_grpc, pagination_pb2
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status

# region client
ORGANIZATION_SERVICE = "gitpod.v1.OrganizationService"
SERVICE_CONFIG = {
    "methodConfig": [
        # Reads are repeated while the server is not there.
        {
            "name": [
                {"service": "gitpod.v1.IdentityService"},
                {"service": ORGANIZATION_SERVICE, "method": "GetSSOConfiguration"},
                {"service": ORGANIZATION_SERVICE, "method": "ListSSOConfigurations"},
            ],
            "timeout": "10s",
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.5s",
                "maxBackoff": "5s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        },
        # Changes are not: one whose answer was lost may have happened.
        {"name": [{}], "timeout": "10s"},
    ]
}


class Authorization(grpc.UnaryUnaryClientInterceptor):
    """Sends the token with every call."""

    def __init__(self, token: str) -> None:
        self._header = ("authorization", f"Bearer {token}")

    def intercept_unary_unary(self, continuation, details, request):
        metadata = [*(details.metadata or ()), self._header]
        return continuation(details._replace(metadata=metadata), request)


def open_channel(url: str, token: str) -> grpc.Channel:
    scheme, target, *_ = urlsplit(url)
    options = [("grpc.service_config", json.dumps(SERVICE_CONFIG))]
    if scheme == "https":
        channel = grpc.secure_channel(target, grpc.ssl_channel_credentials(), options)
    else:
        channel = grpc.insecure_channel(target, options)
    return grpc.intercept_channel(channel, Authorization(token))


# endregion


def main() -> None:
    # region first-call
    with open_channel(os.environ["CLAIMGATE_URL"], os.environ["CLAIMGATE_TOKEN"]) as channel:
        identities = identity_pb2_grpc.IdentityServiceStub(channel)
        organizations = organization_pb2_grpc.OrganizationServiceStub(channel)

        identity = identities.GetAuthenticatedIdentity(identity_pb2.GetAuthenticatedIdentityRequest())
        manage(organizations, identity.organization_id)
    # endregion


def manage(organizations: organization_pb2_grpc.OrganizationServiceStub, organization_id: str) -> None:
    def read(sso_configuration_id: str) -> organization_pb2.SSOConfiguration:
        request = organization_pb2.GetSSOConfigurationRequest(sso_configuration_id=sso_configuration_id)
        return organizations.GetSSOConfiguration(request).sso_configuration

    ids = []
    for client_id in ("client-1", "client-2", "client-3"):
        created = organizations.CreateSSOConfiguration(
            organization_pb2.CreateSSOConfigurationRequest(
                organization_id=organization_id,
                issuer_url="https://idp.example.com",
                client_id=client_id,
                client_secret="what the identity provider has given",
                email_domains=["example.com"],
                additional_scopes=["groups"],
                claims_expression='"staff" in claims.groups',
            )
        )
        ids.append(created.sso_configuration.id)
    print(f"created: {len(ids)}")

    first = read(ids[0])
    print(f"read: {first.client_id} at {first.issuer_url}")

    for number, page in enumerate(list_pages(organizations, organization_id), start=1):
        print(f"page {number}: {', '.join(configuration.client_id for configuration in page)}")

    # A field that is absent stays, one that is present is set, and one that is present and empty is cleared.
    changes = {
        "leave": {"display_name": "Example Ltd"},
        "set": {
            "additional_scopes": organization_pb2.AdditionalScopesUpdate(scopes=["groups", "offline_access"]),
            "claims_expression": "claims.email_verified",
        },
        "clear": {
            "additional_scopes": organization_pb2.AdditionalScopesUpdate(),
            "claims_expression": "",
        },
    }
    for name, change in changes.items():
        organizations.UpdateSSOConfiguration(
            organization_pb2.UpdateSSOConfigurationRequest(sso_configuration_id=ids[0], **change)
        )
        after = read(ids[0])
        print(f'{name}: scopes [{" ".join(after.additional_scopes)}], rule [{after.claims_expression}]')

    try:
        organizations.UpdateSSOConfiguration(
            organization_pb2.UpdateSSOConfigurationRequest(
                sso_configuration_id=ids[0], issuer_url="not a URL", display_name="x" * 129
            )
        )
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.INVALID_ARGUMENT:
            raise
        violations = Violations()
        find_detail(error, violations)
        for violation in violations.violations:
            path = ".".join(element.field_name for element in violation.field.elements)
            print(f"invalid_argument: {path} breaks {violation.rule_id}")

    for sso_configuration_id in ids:
        organizations.DeleteSSOConfiguration(
            organization_pb2.DeleteSSOConfigurationRequest(sso_configuration_id=sso_configuration_id)
        )
    print(f"deleted: {len(ids)}")

    try:
        read(ids[0])
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.NOT_FOUND:
            raise
        info = ErrorInfo()
        find_detail(error, info)
        print("not_found:", info.reason)


def list_pages(
    organizations: organization_pb2_grpc.OrganizationServiceStub, organization_id: str
) -> Iterator[list[organization_pb2.SSOConfiguration]]:
    # An empty token asks for the first page, and stands on the last one.
    token = ""
    while True:
        response = organizations.ListSSOConfigurations(
            organization_pb2.ListSSOConfigurationsRequest(
                organization_id=organization_id,
                pagination=pagination_pb2.PaginationRequest(page_size=2, token=token),
            )
        )
        yield list(response.sso_configurations)
        token = response.pagination.next_token
        if not token:
            return


# region details
def find_detail(error: grpc.RpcError, detail: Message) -> bool:
    """Fills in what the server says of an error beyond its code and its text; tells whether it says such a thing."""
    status = rpc_status.from_call(error)
    return status is not None and any(packed.Unpack(detail) for packed in status.details)


# endregion


if __name__ == "__main__":
    main()
