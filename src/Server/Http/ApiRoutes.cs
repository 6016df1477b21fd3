using CbaMail.Http.Api;

namespace CbaMail.Http;

/// <summary>All rows of the API, resource by resource.</summary>
static class ApiRoutes
{
    public const string Root = "/api/v1";

    public static readonly IReadOnlyList<ApiRoute> All =
    [
        .. OpenApi.Rows,
        .. BatchApi.Rows,
        .. SessionApi.Rows,
        .. OidcApi.Rows,
        .. ApiKeysApi.Rows,
        .. StatusApi.Rows,
        .. DomainsApi.Rows,
        .. DomainDnsApi.Rows,
        .. BrandingApi.Rows,
        .. AccountsApi.Rows,
        .. AccountTemplatesApi.Rows,
        .. InvitationsApi.Rows,
        .. SignUpsApi.Rows,
        .. JoinApi.Rows,
        .. CredentialsApi.Rows,
        .. SecondFactorApi.Rows,
        .. PasswordApi.Rows,
        .. DirectoriesApi.Rows,
        .. PasskeyApi.Rows,
        .. AliasesApi.Rows,
        .. GroupsApi.Rows,
        .. ResourcesApi.Rows,
        .. ListsApi.Rows,
        .. CourseAddressesApi.Rows,
        .. OwnMailApi.Rows,
        .. IdentitiesApi.Rows,
        .. PoliciesApi.Rows,
        .. MailboxesApi.Rows,
        .. ExpungedApi.Rows,
        .. CoursesApi.Rows,
        .. RunsApi.Rows,
        .. EnrolmentsApi.Rows,
        .. RostersApi.Rows,
        .. OneRosterApi.Rows,
        .. ConsentsApi.Rows,
        .. TimelineApi.Rows,
        .. ResponsesApi.Rows,
        .. SchedulesApi.Rows,
        .. ApprovalsApi.Rows,
        .. SequencesApi.Rows,
        .. TemplatesApi.Rows,
        .. MailingsApi.Rows,
        .. AudiencesApi.Rows,
        .. QueueApi.Rows,
        .. DoorsApi.Rows,
        .. MessagesApi.Rows,
        .. TraceApi.Rows,
        .. StatisticsApi.Rows,
        .. SuppressionsApi.Rows,
        .. VerifyApi.Rows,
        .. BackupsApi.Rows,
        .. VaultApi.Rows,
        .. SearchApi.Rows,
        .. SettingsApi.Rows,
        .. SecretsApi.Rows,
        .. TlsApi.Rows,
        .. SuffixesApi.Rows,
        .. ReportsApi.Rows,
        .. WebhooksApi.Rows,
        .. AuditApi.Rows,
    ];

    public static void Map(IEndpointRouteBuilder routes)
    {
        var door = routes.ServiceProvider.GetRequiredService<ApiDoor>();
        foreach (var route in All) routes.MapMethods(Root + route.Path, [route.Method], (RequestDelegate)(context => door.RunAsync(route, context)));
    }
}
