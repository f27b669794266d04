//! Manages SSO configurations of Claimgate from Rust, with tonic.

use std::{env, error::Error, time::Duration};

use prost::Message;
use tonic::{
    Code, Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{self, Channel, Endpoint},
};
use tonic_types::{StatusExt, pb};

use buf::validate::{FieldPathElement, Violation, Violations};
use gitpod::v1::{
    AdditionalScopesUpdate, CreateSsoConfigurationRequest, DeleteSsoConfigurationRequest,
    GetAuthenticatedIdentityRequest, GetSsoConfigurationRequest, ListSsoConfigurationsRequest, PaginationRequest,
    SsoConfiguration, UpdateSsoConfigurationRequest, identity_service_client::IdentityServiceClient,
    organization_service_client::OrganizationServiceClient,
};

mod gitpod {
    pub mod v1 {
        tonic::include_proto!("gitpod.v1");
    }
}
// The server judges by these rules; a client only reads which of them was broken.
#[allow(dead_code, clippy::all)]
mod buf {
    pub mod validate {
        tonic::include_proto!("buf.validate");
    }
}

type Organizations = OrganizationServiceClient<InterceptedService<Channel, Authorization>>;

// region client
/// Sends the token with every call.
#[derive(Clone)]
struct Authorization(MetadataValue<Ascii>);

impl Interceptor for Authorization {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// Repeats a read while the server is not there. Changes are not repeated: one whose answer was lost may have happened.
async fn retry<T>(mut read: impl AsyncFnMut() -> Result<T, Status>) -> Result<T, Status> {
    for attempt in 1..4 {
        match read().await {
            Err(status) if is_unavailable(&status) => {
                tokio::time::sleep(Duration::from_millis(100 << attempt)).await;
            }
            result => return result,
        }
    }
    read().await
}

/// tonic tells of a connection that broke by its source, and by the code `unknown`.
fn is_unavailable(status: &Status) -> bool {
    status.code() == Code::Unavailable || status.source().is_some_and(|source| source.is::<transport::Error>())
}
// endregion

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // region first-call
    let channel = Endpoint::from_shared(env::var("CLAIMGATE_URL")?)?.timeout(Duration::from_secs(10)).connect_lazy();
    let authorization = Authorization(format!("Bearer {}", env::var("CLAIMGATE_TOKEN")?).parse()?);
    let identities = IdentityServiceClient::with_interceptor(channel.clone(), authorization.clone());
    let organizations = OrganizationServiceClient::with_interceptor(channel, authorization);

    // A clone of a client is cheap, and uses the same connection.
    let identity =
        retry(async || identities.clone().get_authenticated_identity(GetAuthenticatedIdentityRequest {}).await)
            .await?
            .into_inner();
    // endregion
    manage(organizations, identity.organization_id).await
}

async fn manage(mut organizations: Organizations, organization_id: String) -> Result<(), Box<dyn Error>> {
    let mut ids = Vec::new();
    for client_id in ["client-1", "client-2", "client-3"] {
        let created = organizations
            .create_sso_configuration(CreateSsoConfigurationRequest {
                organization_id: organization_id.clone(),
                issuer_url: "https://idp.example.com".into(),
                client_id: client_id.into(),
                client_secret: "what the identity provider has given".into(),
                email_domains: vec!["example.com".into()],
                additional_scopes: vec!["groups".into()],
                claims_expression: Some(r#""staff" in claims.groups"#.into()),
                ..Default::default()
            })
            .await?;
        ids.push(created.into_inner().sso_configuration.unwrap_or_default().id);
    }
    println!("created: {}", ids.len());

    let first = read(&organizations, &ids[0]).await?;
    println!("read: {} at {}", first.client_id, first.issuer_url);

    // An empty token asks for the first page, and stands on the last one.
    let mut token = String::new();
    for page in 1.. {
        let request = ListSsoConfigurationsRequest {
            organization_id: organization_id.clone(),
            pagination: Some(PaginationRequest { page_size: 2, token }),
        };
        let list =
            retry(async || organizations.clone().list_sso_configurations(request.clone()).await).await?.into_inner();
        let names: Vec<_> = list.sso_configurations.into_iter().map(|each| each.client_id).collect();
        println!("page {page}: {}", names.join(", "));
        token = list.pagination.unwrap_or_default().next_token;
        if token.is_empty() {
            break;
        }
    }

    // A field that is absent stays, one that is present is set, and one that is present and empty is cleared.
    let update = UpdateSsoConfigurationRequest { sso_configuration_id: ids[0].clone(), ..Default::default() };
    let changes = [
        ("leave", UpdateSsoConfigurationRequest { display_name: Some("Example Ltd".into()), ..update.clone() }),
        (
            "set",
            UpdateSsoConfigurationRequest {
                additional_scopes: Some(AdditionalScopesUpdate {
                    scopes: vec!["groups".into(), "offline_access".into()],
                }),
                claims_expression: Some("claims.email_verified".into()),
                ..update.clone()
            },
        ),
        (
            "clear",
            UpdateSsoConfigurationRequest {
                additional_scopes: Some(AdditionalScopesUpdate::default()),
                claims_expression: Some(String::new()),
                ..update.clone()
            },
        ),
    ];
    for (name, change) in changes {
        organizations.update_sso_configuration(change).await?;
        let after = read(&organizations, &ids[0]).await?;
        println!("{name}: scopes [{}], rule [{}]", after.additional_scopes.join(" "), after.claims_expression);
    }

    let wrong = UpdateSsoConfigurationRequest {
        issuer_url: Some("not a URL".into()),
        display_name: Some("x".repeat(129)),
        ..update
    };
    match organizations.update_sso_configuration(wrong).await {
        Err(status) if status.code() == Code::InvalidArgument => {
            for violation in list_violations(&status)? {
                let field = violation.field.clone().unwrap_or_default();
                let path: Vec<_> = field.elements.iter().map(FieldPathElement::field_name).collect();
                println!("invalid_argument: {} breaks {}", path.join("."), violation.rule_id());
            }
        }
        other => return Err(format!("not refused: {other:?}").into()),
    }

    for id in &ids {
        let request = DeleteSsoConfigurationRequest { sso_configuration_id: id.clone() };
        organizations.delete_sso_configuration(request).await?;
    }
    println!("deleted: {}", ids.len());

    match read(&organizations, &ids[0]).await {
        Err(status) if status.code() == Code::NotFound => {
            println!("not_found: {}", status.get_details_error_info().map(|info| info.reason).unwrap_or_default());
            Ok(())
        }
        other => Err(format!("still there: {other:?}").into()),
    }
}

async fn read(organizations: &Organizations, id: &str) -> Result<SsoConfiguration, Status> {
    let request = GetSsoConfigurationRequest { sso_configuration_id: id.into() };
    let response = retry(async || organizations.clone().get_sso_configuration(request.clone()).await).await?;
    Ok(response.into_inner().sso_configuration.unwrap_or_default())
}

// region details
/// Lists the rules that a refused request breaks. tonic-types finds Google's details; this one is protovalidate's.
fn list_violations(status: &Status) -> Result<Vec<Violation>, prost::DecodeError> {
    for detail in pb::Status::decode(status.details())?.details {
        if detail.type_url.ends_with("/buf.validate.Violations") {
            return Ok(Violations::decode(detail.value.as_slice())?.violations);
        }
    }
    Ok(Vec::new())
}
// endregion
