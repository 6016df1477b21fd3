using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Directory.Publication;
using CbaMail.Mailboxes;
using CbaMail.Net.Dns;
using CbaMail.Storage;
using CbaMail.Tls;
using CbaMail.Tls.Acme;

namespace CbaMail.Cli;

/// <summary>What setup made.</summary>
/// <param name="Password">The administrator's first one; null where the account was there already.</param>
/// <param name="Zone">What to publish, as a zone file.</param>
sealed record SetupOutcome(string? Password, IReadOnlyList<ZoneRecord> Records, string Zone);

/// <summary>The deeds of setup, on a data directory that no server uses. Run again after an interruption it makes what is missing.</summary>
static class SetupDeeds
{
    /// <exception cref="Refused">Something was not taken.</exception>
    public static async Task<SetupOutcome> RunAsync(Settings settings, SetupAnswers answers, bool russian, CancellationToken cancel)
    {
        var services = new ServiceCollection();
        services.AddSingleton(settings).AddSingleton(TimeProvider.System).AddLogging();
        services.AddSingleton<Net.MemoryGate>();
        services.AddDns().AddStorage(MailStore.RemoveUnacknowledged).AddTls().AddDirectory().AddMailboxes()
            .AddSingleton(p => new MailDomains(() => [.. p.GetRequiredService<UserDirectory>().ListDomains().Select(domain => domain.Name)]));
        await using var rooms = services.BuildServiceProvider();
        var directory = rooms.GetRequiredService<UserDirectory>();
        MailboxesRoom.Attach(rooms.GetRequiredService<MailStore>(), directory);
        if (directory.FindDomain(answers.Domain) is null && await directory.AddDomainAsync(answers.Domain, cancel: cancel) is { Ok: false, Refusal: { } refusal }) throw new Refused(refusal.Sentence);
        var domain = directory.FindDomain(answers.Domain)!;
        string? password = null;
        if (Names.TryAddress(answers.Administrator, out var address) && directory.FindAccount(address) is null)
        {
            password = Passwords.Generate();
            var added = await directory.AddAccountAsync(new NewAccount(answers.Administrator, russian ? "Администратор" : "Administrator", password, Role: Role.Admin), cancel);
            if (!added.Ok) throw new Refused(added.Refusal.Sentence);
        }
        var zone = rooms.GetRequiredService<DomainZone>();
        var records = await zone.RecordsAsync(domain, cancel);
        return new(password, records, zone.ZoneFile(domain, records, russian));
    }
}
