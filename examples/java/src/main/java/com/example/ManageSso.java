package com.example;

import build.buf.validate.FieldPathElement;
import build.buf.validate.Violation;
import build.buf.validate.Violations;
import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.ErrorInfo;
import gitpod.v1.Identity.GetAuthenticatedIdentityRequest;
import gitpod.v1.IdentityServiceGrpc;
import gitpod.v1.OrganizationOuterClass.AdditionalScopesUpdate;
import gitpod.v1.OrganizationOuterClass.CreateSSOConfigurationRequest;
import gitpod.v1.OrganizationOuterClass.DeleteSSOConfigurationRequest;
import gitpod.v1.OrganizationOuterClass.GetSSOConfigurationRequest;
import gitpod.v1.OrganizationOuterClass.ListSSOConfigurationsRequest;
import gitpod.v1.OrganizationOuterClass.SSOConfiguration;
import gitpod.v1.OrganizationOuterClass.UpdateSSOConfigurationRequest;
import gitpod.v1.OrganizationServiceGrpc;
import gitpod.v1.OrganizationServiceGrpc.OrganizationServiceBlockingStub;
import gitpod.v1.Pagination.PaginationRequest;
import io.grpc.ChannelCredentials;
import io.grpc.ClientInterceptor;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.MetadataUtils;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** Manages SSO configurations of Claimgate from Java, with grpc-java. */
public final class ManageSso {

  // region client
  private static final Map<String, ?> SERVICE_CONFIG =
      Map.of(
          "methodConfig",
          List.of(
              // Reads are repeated while the server is not there.
              Map.of(
                  "name",
                  List.of(
                      Map.of("service", "gitpod.v1.IdentityService"),
                      readOf("GetSSOConfiguration"),
                      readOf("ListSSOConfigurations")),
                  "timeout",
                  "10s",
                  "retryPolicy",
                  Map.of(
                      "maxAttempts", 5.0,
                      "initialBackoff", "0.5s",
                      "maxBackoff", "5s",
                      "backoffMultiplier", 2.0,
                      "retryableStatusCodes", List.of("UNAVAILABLE"))),
              // Changes are not: one whose answer was lost may have happened.
              Map.of("name", List.of(Map.of()), "timeout", "10s")));

  private static Map<String, String> readOf(String method) {
    return Map.of("service", "gitpod.v1.OrganizationService", "method", method);
  }

  private static ManagedChannel openChannel(URI url) {
    ChannelCredentials credentials =
        url.getScheme().equals("https")
            ? TlsChannelCredentials.create()
            : InsecureChannelCredentials.create();
    return Grpc.newChannelBuilder(url.getAuthority(), credentials)
        .defaultServiceConfig(SERVICE_CONFIG)
        .build();
  }

  private static ClientInterceptor authorize(String token) {
    var headers = new Metadata();
    headers.put(
        Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + token);
    return MetadataUtils.newAttachHeadersInterceptor(headers);
  }

  // endregion

  public static void main(String[] args) throws InterruptedException {
    // region first-call
    ManagedChannel channel = openChannel(URI.create(System.getenv("CLAIMGATE_URL")));
    try {
      ClientInterceptor authorization = authorize(System.getenv("CLAIMGATE_TOKEN"));
      var identities = IdentityServiceGrpc.newBlockingStub(channel).withInterceptors(authorization);
      var organizations =
          OrganizationServiceGrpc.newBlockingStub(channel).withInterceptors(authorization);

      String organizationId =
          identities
              .getAuthenticatedIdentity(GetAuthenticatedIdentityRequest.getDefaultInstance())
              .getOrganizationId();
      manage(organizations, organizationId);
    } finally {
      channel.shutdown().awaitTermination(5, TimeUnit.SECONDS);
    }
    // endregion
  }

  private static void manage(
      OrganizationServiceBlockingStub organizations, String organizationId) {
    var ids = new ArrayList<String>();
    for (String clientId : List.of("client-1", "client-2", "client-3")) {
      var created =
          organizations.createSSOConfiguration(
              CreateSSOConfigurationRequest.newBuilder()
                  .setOrganizationId(organizationId)
                  .setIssuerUrl("https://idp.example.com")
                  .setClientId(clientId)
                  .setClientSecret("what the identity provider has given")
                  .addEmailDomains("example.com")
                  .addAdditionalScopes("groups")
                  .setClaimsExpression("\"staff\" in claims.groups")
                  .build());
      ids.add(created.getSsoConfiguration().getId());
    }
    System.out.println("created: " + ids.size());

    String id = ids.get(0);
    SSOConfiguration first = read(organizations, id);
    System.out.printf("read: %s at %s%n", first.getClientId(), first.getIssuerUrl());

    // An empty token asks for the first page, and stands on the last one.
    String token = "";
    int page = 0;
    do {
      var list =
          organizations.listSSOConfigurations(
              ListSSOConfigurationsRequest.newBuilder()
                  .setOrganizationId(organizationId)
                  .setPagination(PaginationRequest.newBuilder().setPageSize(2).setToken(token))
                  .build());
      String names =
          list.getSsoConfigurationsList().stream()
              .map(SSOConfiguration::getClientId)
              .collect(Collectors.joining(", "));
      System.out.printf("page %d: %s%n", ++page, names);
      token = list.getPagination().getNextToken();
    } while (!token.isEmpty());

    // A field that is absent stays, one that is present is set, and one that is present and empty is cleared.
    var update = UpdateSSOConfigurationRequest.newBuilder().setSsoConfigurationId(id).build();
    organizations.updateSSOConfiguration(update.toBuilder().setDisplayName("Example Ltd").build());
    print("leave", read(organizations, id));
    organizations.updateSSOConfiguration(
        update.toBuilder()
            .setAdditionalScopes(
                AdditionalScopesUpdate.newBuilder().addScopes("groups").addScopes("offline_access"))
            .setClaimsExpression("claims.email_verified")
            .build());
    print("set", read(organizations, id));
    organizations.updateSSOConfiguration(
        update.toBuilder()
            .setAdditionalScopes(AdditionalScopesUpdate.getDefaultInstance())
            .setClaimsExpression("")
            .build());
    print("clear", read(organizations, id));

    try {
      organizations.updateSSOConfiguration(
          update.toBuilder().setIssuerUrl("not a URL").setDisplayName("x".repeat(129)).build());
    } catch (StatusRuntimeException refusal) {
      if (refusal.getStatus().getCode() != Status.Code.INVALID_ARGUMENT) throw refusal;
      for (Violation violation : findDetail(refusal, Violations.class).getViolationsList()) {
        String path =
            violation.getField().getElementsList().stream()
                .map(FieldPathElement::getFieldName)
                .collect(Collectors.joining("."));
        System.out.printf("invalid_argument: %s breaks %s%n", path, violation.getRuleId());
      }
    }

    for (String each : ids) {
      organizations.deleteSSOConfiguration(
          DeleteSSOConfigurationRequest.newBuilder().setSsoConfigurationId(each).build());
    }
    System.out.println("deleted: " + ids.size());

    try {
      read(organizations, id);
    } catch (StatusRuntimeException refusal) {
      if (refusal.getStatus().getCode() != Status.Code.NOT_FOUND) throw refusal;
      System.out.println("not_found: " + findDetail(refusal, ErrorInfo.class).getReason());
    }
  }

  private static SSOConfiguration read(OrganizationServiceBlockingStub organizations, String id) {
    var request = GetSSOConfigurationRequest.newBuilder().setSsoConfigurationId(id).build();
    return organizations
        .getSSOConfiguration(request)
        .getSsoConfiguration();
  }

  private static void print(String what, SSOConfiguration configuration) {
    System.out.printf(
        "%s: scopes [%s], rule [%s]%n",
        what,
        String.join(" ", configuration.getAdditionalScopesList()),
        configuration.getClaimsExpression());
  }

  // region details
  /** What the server says of an error beyond its code and its text. */
  private static <T extends Message> T findDetail(StatusRuntimeException error, Class<T> type) {
    try {
      for (Any detail : StatusProto.fromThrowable(error).getDetailsList()) {
        if (detail.is(type)) return detail.unpack(type);
      }
    } catch (InvalidProtocolBufferException unreadable) {
      error.addSuppressed(unreadable);
    }
    throw error;
  }

  // endregion
}
