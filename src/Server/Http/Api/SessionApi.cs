using CbaMail.Authorization;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Sasl;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/session: signing in by a browser, out again, as somebody else; and /api/v1/sessions, one's own.</summary>
static class SessionApi
{
    /// <param name="Code">Of an authenticator app, or a recovery code, where the first answer was "second-factor".</param>
    /// <param name="Passkey">Or the answer of a passkey or security key to the question that came with it.</param>
    sealed record SignInRequest(string Address, string Password, string? Code = null, PasskeyApi.ShownPasskey? Passkey = null);
    sealed record Acting(string Address);

    /// <param name="Proof">For the header X-CSRF-Token of every change.</param>
    /// <param name="Permissions">And how far each reaches: own, courses, domains, server.</param>
    /// <param name="Acting">Who has signed in as <paramref name="Address"/>.</param>
    /// <param name="Needs">What must be done before anything else: password, second-factor.</param>
    internal sealed record SessionView(string? Address, string? Name, string Role, IReadOnlyDictionary<string, string> Permissions, string? Proof, string? Acting, string? Needs);

    /// <param name="Current">The one that asks.</param>
    sealed record OneSession(string Id, DateTimeOffset Created, DateTimeOffset Used, string Address, string Agent, bool Current, string? Acting);

    sealed record SessionDone(string Id);

    sealed record SessionsEnded(int Ended);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("POST", "/session", null, About.Asked, "Sign in: sets a cookie", Requests.With<SignInRequest>(SignInAsync)) { Takes = typeof(SignInRequest), Gives = typeof(SessionView) },
        new("GET", "/session", Permissions.OwnAccount, About.Asked, "Who one is, and what one may do", context => context.JsonAsync(Show(context, context.Caller()))) { Gives = typeof(SessionView), IsForNewcomers = true },
        new("DELETE", "/session", Permissions.OwnAccount, About.Asked, "Sign out", SignOutAsync) { IsForNewcomers = true, Gives = typeof(DeedDone) },
        new("POST", "/session/act", Permissions.SignInAs, About.Asked, "Sign in as somebody else; the audit log says who it was", Requests.With<Acting>(ActAsync)) { Takes = typeof(Acting), Gives = typeof(SessionView) },
        new("GET", "/sessions", Permissions.OwnAccount, About.Asked, "One's own sessions", ListAsync) { Gives = typeof(OneSession[]) },
        new("DELETE", "/sessions/{session}", Permissions.OwnAccount, About.Asked, "End one of one's own sessions", EndAsync) { Gives = typeof(SessionDone) },
        new("DELETE", "/sessions", Permissions.OwnAccount, About.Asked, "End all of one's own sessions but this one", EndOthersAsync) { Gives = typeof(SessionsEnded) },
    ];

    static SessionView Show(HttpContext context, Caller caller) => new(
        caller.Account?.Address.ToString(), caller.Account?.Name, Roles.Show(caller.Role),
        Permissions.All.Select(permission => (permission.Name, Reach: caller.ReachOf(permission))).Where(one => one.Reach != Reach.None).ToDictionary(one => one.Name, one => one.Reach.ToString().ToLowerInvariant()),
        caller.Session is { } session ? context.Room<Sessions>().Proof(session) : null, caller.Acting?.Address.ToString(),
        context.Room<ApiCallers>().Unfinished(caller)?.ImapCode switch { "EXPIRED" => "password", "SETUPNEEDED" => "second-factor", _ => null });

    /// <summary>What keeps anybody from signing in by this request, or null.</summary>
    internal static Refusal? Forbids(HttpContext context)
    {
        if (ControlDoor.Is(context)) return Refusal.NotPossible.Because("Nobody signs in at the control socket: who can open it may do everything");
        if (context.Room<ApiCallers>().Forbids(context) is { } inClear) return inClear;
        // a form of another site could sign somebody in under a name of its own choice
        return context.Request.Headers["Sec-Fetch-Site"].ToString() is "" or "same-origin" or "none" ? null : Refusal.NotPermitted.Because("Sign in from our own pages");
    }

    static async Task SignInAsync(HttpContext context, SignInRequest wanted)
    {
        if (Forbids(context) is { } forbidden) { await context.RefuseAsync(forbidden); return; }
        var from = ApiCallers.From(context) ?? System.Net.IPAddress.None;
        // the question is sealed with the account whose password was shown, so nobody else is judged here
        var shown = wanted.Passkey is { Credential.ValueKind: System.Text.Json.JsonValueKind.Object } passkey && context.FindAccount(wanted.Address ?? "") is { } asked
            && await context.Room<PasskeyDoor>().CheckAsync(context, asked, passkey.Id ?? "", passkey.Credential, context.RequestAborted) is not null;
        var ends = context.Room<Sessions>().EndsOf(context.FindAccount(wanted.Address ?? ""));
        var result = await context.Room<SignIn>().TryAsync(new WithCode(wanted.Address ?? "", wanted.Password ?? "", wanted.Code, shown), from, context.TraceIdentifier, context.RequestAborted);
        if (!result.Ok && result.Refusal == SecondFactors.Needed && context.FindAccount(wanted.Address ?? "") is { } whose)
        {
            var kinds = context.Room<SecondFactors>().KindsOf(whose);
            object? question = null;
            if (kinds.Contains("passkey")) question = await context.Room<PasskeyDoor>().AskAsync(context, whose) is var (id, options) ? new PasskeyApi.PasskeyQuestion(id, options) : null;
            await context.RefuseAsync(result.Refusal, result.Refusal.HttpStatus, kinds, question);
            return;
        }
        if (!result.Ok) { await context.RefuseAsync(result.Refusal); return; }
        await BeginAsync(context, result.Value, acting: null, since: ends);
    }

    internal static async Task BeginAsync(HttpContext context, Account account, Account? acting, int status = 201, long? since = null)
    {
        var from = ApiCallers.From(context);
        if (await context.Room<Sessions>().BeginAsync(account, acting, from, context.Request.Headers.UserAgent.ToString(), context.RequestAborted, since) is not var (secret, session)) { await context.RefuseAsync(Refusal.SignInFailed); return; }
        ApiCallers.SetCookie(context, secret);
        await context.JsonAsync(Show(context, new Caller(account, null, session, acting, from)), status);
    }

    static async Task ActAsync(HttpContext context, Acting wanted)
    {
        var caller = context.Caller();
        if (caller.Session is null || caller.Acting is not null) { await context.RefuseAsync(Refusal.NotPossible.Because("Sign in by a browser's session of your own first")); return; }
        if (context.FindAccount(wanted.Address ?? "") is not { Enabled: true } account) { await context.RefuseAsync(Requests.NoAccount(wanted.Address ?? "").At("address")); return; }
        if (!caller.MayActAs(account)) { await context.RefuseAsync(Requests.MayNot(Permissions.SignInAs)); return; }
        await BeginAsync(context, account, caller.Account);
    }

    static async Task SignOutAsync(HttpContext context)
    {
        if (context.Caller().Session is { } session) await context.Room<Sessions>().EndAsync([session], context.RequestAborted);
        ApiCallers.SetCookie(context, "");
        await context.JsonAsync(new DeedDone(true));
    }

    static Task ListAsync(HttpContext context)
    {
        var (caller, directory) = (context.Caller(), context.Room<UserDirectory>());
        return context.JsonAsync(context.Room<Sessions>().List(caller.Account?.Id ?? 0).Select(one => new OneSession(
            one.Id, one.Created, one.Used, one.Address, one.Agent, one.Digest == caller.Session?.Digest, one.Acting == 0 ? null : directory.GetAccount(one.Acting)?.Address.ToString())).ToList());
    }

    static async Task EndAsync(HttpContext context)
    {
        var id = context.Part("session");
        var mine = context.Room<Sessions>().List(context.Caller().Account?.Id ?? 0).Where(one => one.Id == id).ToList();
        if (mine.Count == 0) { await context.RefuseAsync(Refusal.NoSuchThing.Because("You have no such session")); return; }
        await context.Room<Sessions>().EndAsync(mine, context.RequestAborted);
        await context.JsonAsync(new SessionDone(id));
    }

    static async Task EndOthersAsync(HttpContext context)
    {
        var caller = context.Caller();
        var others = context.Room<Sessions>().List(caller.Account?.Id ?? 0).Where(one => one.Digest != caller.Session?.Digest).ToList();
        await context.Room<Sessions>().EndAsync(others, context.RequestAborted);
        await context.JsonAsync(new SessionsEnded(others.Count));
    }
}
