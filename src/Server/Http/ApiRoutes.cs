using CbaMail.Http.Api;

namespace CbaMail.Http;

/// <summary>The API's resources, a line each. They are reachable through the control socket only.</summary>
static class ApiRoutes
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        StatusApi.Map(routes);
        DomainsApi.Map(routes);
        DomainDnsApi.Map(routes);
        AccountsApi.Map(routes);
        AliasesApi.Map(routes);
        PoliciesApi.Map(routes);
        MailboxesApi.Map(routes);
        CoursesApi.Map(routes);
        MailingsApi.Map(routes);
        QueueApi.Map(routes);
        DoorsApi.Map(routes);
        MessagesApi.Map(routes);
        TraceApi.Map(routes);
        SuppressionsApi.Map(routes);
        VerifyApi.Map(routes);
        BackupsApi.Map(routes);
        VaultApi.Map(routes);
        SearchApi.Map(routes);
        SecretsApi.Map(routes);
        TlsApi.Map(routes);
        SuffixesApi.Map(routes);
        ReportsApi.Map(routes);
    }
}
