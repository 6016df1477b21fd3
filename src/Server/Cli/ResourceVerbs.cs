using System.Text.Json;

namespace CbaMail.Cli;

/// <summary><c>resource add | list | show | set | remove | bookings | approve | refuse | free</c>.</summary>
static class ResourceVerbs
{
    static readonly Option[] Fields =
    [
        new("--name", "TEXT", "for people"),
        new("--kind", "WORD", "room or equipment; room unless set"),
        new("--capacity", "NUMBER", "people who fit in"),
        new("--place", "TEXT", "where it is, for people"),
        new("--time-zone", "NAME", "of opening hours and of dates in answers, as in Europe/Berlin; UTC unless set"),
        new("--bookers", "WORDS", "who may book it: everyone, domain, addresses (of groups too), @domain; domain unless set"),
        new("--owners", "ADDRESSES", "who approves"),
        new("--approval", "YES", "yes: an owner has to approve each booking"),
        new("--max-minutes", "NUMBER", "minutes of one booking at most"),
        new("--days-ahead", "NUMBER", "how many days ahead it may be booked; 365 unless set"),
        new("--hours", "FROM-TO", "opening hours, as in 08:00-18:00"),
        new("--weekdays", "WORDS", "days on which it is open: monday to sunday; each unless set"),
        new("--recurring", "YES", "no: it takes no series"),
        new("--accept-part", "YES", "yes: of a series with taken dates the free ones are accepted"),
        new("--parallel", "NUMBER", "how many bookings it takes at the same time; 1 unless set"),
        new("--shows-who", "YES", "yes: who is declined learns who has booked it"),
    ];

    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("resource add", "ADDRESS", "make a resource: a room or equipment that answers invitations by itself", [.. Fields, .. Verb.Client], async invocation =>
            invocation.Print(await invocation.Server.PostAsync("resources", Body(invocation).Add("address", invocation.Arguments[0])), resource => $"The resource {Readable.Address(resource.Text("address"))} is made.")),
        new("resource list", "", "list the resources", [new("--domain", "NAME", "only of this domain"), .. Verb.Client], async invocation =>
            invocation.Print(await invocation.Server.GetAsync("resources" + (invocation.Value("--domain") is { } domain ? "?domain=" + Uri.EscapeDataString(domain) : "")), ["ADDRESS", "KIND", "CAPACITY", "PLACE", "NAME"],
                resource => [Readable.Address(resource.Text("address")), resource.Text("kind"), resource.Text("capacity"), resource.Text("place"), resource.Text("name")])),
        new("resource show", "ADDRESS", "show a resource", Verb.Client, async invocation => invocation.Print(await invocation.Server.GetAsync(Path(invocation)), Details)),
        new("resource set", "ADDRESS", "change a resource", [.. Fields, .. Verb.Client], async invocation => invocation.Print(await invocation.Server.PatchAsync(Path(invocation), Body(invocation)), Details)),
        new("resource remove", "ADDRESS", "remove a resource and its bookings", Verb.Client, async invocation =>
            invocation.Print(await invocation.Server.DeleteAsync(Path(invocation)), resource => $"The resource {Readable.Address(resource.Text("address"))} is removed.")),
        new("resource bookings", "ADDRESS", "list the bookings of a resource from now on", [new("--from", "TIME", "from then on"), new("--to", "TIME", "until then"), .. Verb.Client], BookingsAsync),
        new("resource approve", "ADDRESS NUMBER", "approve a booking", Verb.Client, async invocation => invocation.Print(await invocation.Server.PostAsync(Booking(invocation) + "/approve", new JsonBody()), Done)),
        new("resource refuse", "ADDRESS NUMBER", "refuse a booking", Verb.Client, async invocation => invocation.Print(await invocation.Server.PostAsync(Booking(invocation) + "/refuse", new JsonBody()), Done)),
        new("resource free", "ADDRESS NUMBER", "take a booking back; its organizer is told", Verb.Client, async invocation => invocation.Print(await invocation.Server.DeleteAsync(Booking(invocation)), Done)),
    ];

    static string Path(Invocation invocation) => "resources/" + Uri.EscapeDataString(invocation.Arguments[0]);

    static string Booking(Invocation invocation) => $"{Path(invocation)}/bookings/{Uri.EscapeDataString(invocation.Arguments[1])}";

    static string Done(JsonElement booking) => $"The booking {booking.Text("id")} is {booking.Text("state")}.";

    static JsonBody Body(Invocation invocation)
    {
        var body = new JsonBody();
        foreach (var (option, field) in new[] { ("--name", "name"), ("--kind", "kind"), ("--place", "place"), ("--time-zone", "timeZone"), ("--hours", "hours") }) body.Add(field, invocation.Value(option));
        foreach (var (option, field) in new[] { ("--bookers", "bookers"), ("--owners", "owners"), ("--weekdays", "weekdays") })
            if (invocation.Value(option) is { } words) body.Add(field, words.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries));
        foreach (var (option, field) in new[] { ("--capacity", "capacity"), ("--max-minutes", "maxMinutes"), ("--days-ahead", "daysAhead"), ("--parallel", "parallel") })
            if (invocation.Value(option) is { } text) body.Add(field, int.TryParse(text, out var number) ? (long?)number : throw new Refused($"\"{text}\" is not a number", 2));
        foreach (var (option, field) in new[] { ("--approval", "approval"), ("--recurring", "recurring"), ("--accept-part", "acceptPart"), ("--shows-who", "showsWho") })
            if (invocation.Value(option) is { } word) body.Add(field, word switch { "yes" => true, "no" => (bool?)false, _ => throw new Refused($"\"{word}\" is neither yes nor no", 2) });
        return body;
    }

    static async Task<int> BookingsAsync(Invocation invocation)
    {
        var asked = new[] { "from", "to" }.Where(name => invocation.Value("--" + name) is not null).Select(name => $"{name}={Uri.EscapeDataString(invocation.Value("--" + name)!)}").ToList();
        return invocation.Print(await invocation.Server.GetAsync(Path(invocation) + "/bookings" + (asked.Count > 0 ? "?" + string.Join('&', asked) : "")), ["NUMBER", "START", "END", "STATE", "ORGANIZER", "SUMMARY"],
            one => [one.Text("id"), one.Text("start"), one.Text("end"), one.Text("state"), Readable.Address(one.Text("organizer")), one.Text("summary")]);
    }

    static string Words(JsonElement resource, string name) => string.Join(' ', resource.Items(name).Select(word => word.GetString()));

    static string Details(JsonElement resource) => $"""
        Address      {Readable.Address(resource.Text("address"))}
        Name         {resource.Text("name")}
        Kind         {resource.Text("kind")}
        Capacity     {resource.Text("capacity")}
        Place        {resource.Text("place")}
        Time zone    {resource.Text("timeZone")}
        Bookers      {Words(resource, "bookers")}
        Owners       {Words(resource, "owners")}
        Approval     {resource.Text("approval")}
        Max minutes  {resource.Text("maxMinutes")}
        Days ahead   {resource.Text("daysAhead")}
        Hours        {resource.Text("hours")}
        Weekdays     {Words(resource, "weekdays")}
        Recurring    {resource.Text("recurring")}
        Accept part  {resource.Text("acceptPart")}
        Parallel     {resource.Text("parallel")}
        Shows who    {resource.Text("showsWho")}
        """;
}
