namespace CbaMail.Http.Api;

/// <summary>/v1/messages: one message through the delivery of local mail.</summary>
static class MessagesApi
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        _ = routes;
    }
}
