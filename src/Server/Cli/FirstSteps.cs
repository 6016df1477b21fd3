using CbaMail.Config;
using CbaMail.Directory;

namespace CbaMail.Cli;

/// <summary>
/// The first start of an evaluation: the domain example.test, an administrator whose one-time password is printed,
/// and what to try next.
/// </summary>
static class FirstSteps
{
    public const string Domain = "example.test";
    public const string Administrator = "admin@example.test";

    /// <param name="kind">"course", "empty", or null for none of it.</param>
    public static async Task RunAsync(IServiceProvider services, Settings settings, string? kind)
    {
        if (kind is null) return;
        var directory = services.GetRequiredService<UserDirectory>();
        if (directory.FindDomain(Domain) is null && await directory.AddDomainAsync(Domain) is { Ok: true } made)
            await services.GetRequiredService<SigningKeys>().EnsureAsync(made.Value, CancellationToken.None);
        if (Names.TryAddress(Administrator, out var address) && directory.FindAccount(address) is null)
        {
            var password = Passwords.Generate();
            var added = await directory.AddAccountAsync(new NewAccount(Administrator, "Administrator", password, Role: Role.Admin));
            await Console.Out.WriteLineAsync(added.Ok
                ? $"\n  Administrator  {Administrator}\n  Password       {password}   (shown this once; change it with: ./cbamail account password {Administrator} --data {settings.Data} --generate)\n"
                : $"\n  The administrator was not made: {added.Refusal.Sentence}\n");
        }
        if (kind != "course" || !await DemonstrationSteps.RunAsync(services, settings)) await Console.Out.WriteAsync(Next(settings));
        await Console.Out.FlushAsync();
    }

    static string Next(Settings settings)
    {
        int? PortOf(Protocol protocol) => settings.Listeners.FirstOrDefault(listener => listener.Protocol == protocol)?.Port;
        return $"""

              Open           http://localhost:{PortOf(Protocol.Http)}/   (status; https://localhost:{PortOf(Protocol.Https)}/ with a self-signed certificate)
              IMAP           localhost:{PortOf(Protocol.Imap)} (STARTTLS), localhost:{PortOf(Protocol.Imaps)} (TLS)
              POP3           localhost:{PortOf(Protocol.Pop3)} (STLS), localhost:{PortOf(Protocol.Pop3s)} (TLS)
              Sending        localhost:{PortOf(Protocol.Submission)} (STARTTLS), localhost:{PortOf(Protocol.Submissions)} (TLS)

            Three things to try next:
              1. curl -s imap://localhost:{PortOf(Protocol.Imap)}/INBOX --user {Administrator} -X 'STATUS INBOX (MESSAGES UNSEEN)'
              2. open the status page: http://localhost:{PortOf(Protocol.Http)}/
              3. ./cbamail status --data {settings.Data}

            Ctrl-C stops the server.

            """;
    }
}
