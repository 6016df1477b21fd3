using CbaMail.Authorization;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Federation.Ldap;
using CbaMail.Storage;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/directories: directories elsewhere (LDAP) whose people have accounts here.</summary>
static class DirectoriesApi
{
    /// <param name="State">fresh (not read yet), ok, failing, stopped (too many would be disabled).</param>
    /// <param name="Accounts">That come from it.</param>
    /// <param name="Tried">When it was asked last.</param>
    /// <param name="Done">When it was read last.</param>
    /// <param name="Failing">Since when it cannot be read.</param>
    /// <param name="Last">What the last sync did; not in lists.</param>
    sealed record DirectoryView(string Name, string Preset, IReadOnlyList<string> Servers, string Base, string State, int Accounts, DateTimeOffset? Tried, DateTimeOffset? Done, DateTimeOffset? Failing, string Problem, double Interval, LdapDifference? Last);

    /// <param name="User">Whose entry is looked for: an address.</param>
    /// <param name="Password">That is checked as his.</param>
    sealed record Trial(string? User = null, string? Password = null);

    sealed record TrialView(bool Ok, IReadOnlyList<LdapTrialStep> Steps);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/directories", Permissions.DirectoriesRead, About.Server, "Directories elsewhere (LDAP)", context =>
            context.ListAsync(All(context).OrderBy(source => source.Name, StringComparer.Ordinal), source => source.Name, source => Show(context, source, whole: false))) { Gives = typeof(DirectoryView), IsList = true },
        new("GET", "/directories/{name}", Permissions.DirectoriesRead, About.Server, "One directory, and what the last sync did", With((context, source) => context.JsonAsync(Show(context, source, whole: true)))) { Gives = typeof(DirectoryView) },
        new("POST", "/directories/{name}/sync", Permissions.DirectoriesWrite, About.Server, "Read it now, and change what differs; force=true: even if many are disabled", With(SyncAsync)) { Query = ["force"], Gives = typeof(LdapDifference), CanRehearse = true },
        new("POST", "/directories/{name}/test", Permissions.DirectoriesWrite, About.Server, "Connect to it, look for people, and check the password of one", Requests.With<Trial>((context, trial) => With((_, source) => TestAsync(context, source, trial))(context))) { Takes = typeof(Trial), Gives = typeof(TrialView), OnlyReads = true },
    ];

    static IReadOnlyList<LdapSource> All(HttpContext context) => context.RequestServices.GetService<LdapSources>()?.All ?? [];

    static RequestDelegate With(Func<HttpContext, LdapSource, Task> deed) => context =>
    {
        var name = context.Part("name");
        return All(context).FirstOrDefault(source => source.Name == name) is { } source ? deed(context, source)
            : context.RefuseAsync(Refusal.NoSuchThing.Because($"There is no directory {name}; they stand in the settings below directory.ldap"));
    };

    static DirectoryView Show(HttpContext context, LdapSource source, bool whole)
    {
        var standing = source.Standing;
        var state = standing.Failing is not null ? standing.Last?.Stopped == true ? "stopped" : "failing" : standing.Done is null ? "fresh" : "ok";
        return new(source.Name, SettingsFile.KeyName(source.Settings.Preset.ToString()), source.Settings.Servers, source.Settings.Base, state,
            context.Room<UserDirectory>().ListAccounts().Count(account => account.Profile.Origin?.Source == source.Name),
            standing.Tried, standing.Done, standing.Failing, standing.Problem, source.Settings.Interval.TotalSeconds, whole ? standing.Last : null);
    }

    static async Task SyncAsync(HttpContext context, LdapSource source)
    {
        var force = context.Asked("force");
        if (force is not (null or "true" or "false")) { await context.RefuseAsync(Refusal.Invalid.Because("force is true or false").At("force")); return; }
        await context.ResultAsync(await context.Room<LdapSync>().RunAsync(source, Rehearsal.IsOn, force == "true", context.RequestAborted), difference => difference);
    }

    static async Task TestAsync(HttpContext context, LdapSource source, Trial trial)
    {
        var steps = await context.Room<LdapSources>().TryAsync(source, trial.User is { Length: > 0 } user ? user : null, trial.Password, context.RequestAborted);
        await context.JsonAsync(new TrialView(steps.All(step => step.Ok), steps));
    }
}
