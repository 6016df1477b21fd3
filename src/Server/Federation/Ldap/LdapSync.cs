using System.Text.Json;
using System.Text.Json.Serialization;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Federation.Ldap;

/// <summary>
/// Brings accounts to what a directory says. What an entry is is known by what never changes of it, so somebody with a new address keeps his mail. Accounts
/// of our own are never touched; nobody's mail is ever removed for good by a sync; and one that would shut out many stops before it has changed anything.
/// </summary>
sealed class LdapSync(UserDirectory directory, TimeProvider time, ILogger<LdapSync> log)
{
    const int Batch = 250, MostShown = 1000, MostCollisions = 200, MostReasons = 50, LeastLoss = 5;

    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Told every change in its own transaction: the name of the directory, and what it did.</summary>
    public Action<WriteTransaction, string, LdapDeed>? Record { get; set; }

    sealed record Step(string Kind, MailAddress Address, string What, OriginDeed Deed, Account? Before);

    sealed class Plan
    {
        public List<Step> Steps { get; } = [];
        public List<string> Collisions { get; } = [];
        public List<string> Reasons { get; } = [];
        public List<LdapPerson> People { get; } = [];
        /// <summary>The addresses that people will have here, by what never changes of them.</summary>
        public Dictionary<string, MailAddress> Homes { get; } = new(StringComparer.Ordinal);
        public int Entries, LeftOut, Unchanged, Losing, Mine;
    }

    /// <summary>Reads the directory and changes what differs.</summary>
    /// <param name="tryOnly">Says what it would do, and does nothing.</param>
    /// <param name="force">Even if it disables many.</param>
    public async Task<Result<LdapDifference>> RunAsync(LdapSource source, bool tryOnly, bool force, CancellationToken cancel)
    {
        if (!await source.Syncing.WaitAsync(TimeSpan.Zero, cancel)) return Refusal.Conflict.Because($"The directory {source.Name} is being read already");
        var now = time.GetUtcNow();
        try
        {
            var (people, groups) = await source.ReadAsync(cancel);
            var membersOf = source.Mapping.SaysMembers ? source.Mapping.Members(groups) : null;
            var plan = MakePlan(source, people.Select(entry => source.Mapping.Read(entry, membersOf)).ToList(), now);
            var groupPlan = LdapGroupPlan.Make(source, directory, groups, plan.People, plan.Homes, now);
            // an empty answer is that of a wrong base or of a right that was taken away, sooner than of a school without people
            var losesPeople = plan.Losing > Math.Max(LeastLoss, plan.Mine * source.Settings.SafetyStop / 100) || (plan.Entries == 0 && plan.Losing > 0);
            var losesGroups = groupPlan.Losing > Math.Max(LeastLoss, groupPlan.Mine * source.Settings.SafetyStop / 100) || (groupPlan.Entries == 0 && groupPlan.Losing > 1);
            var stopped = !force && (losesPeople || losesGroups);
            var (done, groupsDone) = (plan.Steps, groupPlan.Steps);
            if (!tryOnly && !stopped)
            {
                done = await ApplyAsync(source, plan, cancel);
                // an account that was refused is no member
                groupPlan = LdapGroupPlan.Make(source, directory, groups, plan.People, HomesNow(source), now);
                groupsDone = await ApplyAsync(source, groupPlan, cancel);
            }
            plan.Collisions.AddRange(groupPlan.Collisions);
            plan.Reasons.AddRange(groupPlan.Reasons);
            var difference = new LdapDifference(plan.Entries, plan.LeftOut, plan.Unchanged, done.Count(step => step.Kind is "made" or "adopted" or "restored"), done.Count(step => step.Kind is "changed" or "renamed" or "enabled"),
                done.Count(step => step.Kind == "disabled"), done.Count(step => step.Kind == "removed"), plan.Losing,
                [.. done.Select(step => new LdapChange(step.Kind, step.Address.ToString(), step.What)).Concat(groupsDone.Select(step => new LdapChange(step.Kind, step.Address.ToString(), step.What, Group: true))).Take(MostShown)], [.. plan.Collisions.Take(MostCollisions)], [.. plan.Reasons.Take(MostReasons)], stopped,
                new(groupPlan.Entries, groupPlan.Unchanged, groupsDone.Count(step => step.Kind == "made"), groupsDone.Count(step => step.Kind is "changed" or "renamed" or "restored"), groupsDone.Count(step => step.Kind == "closed"), groupsDone.Count(step => step.Kind == "removed"), groupPlan.Losing));
            if (tryOnly) return difference;
            var problem = stopped ? $"the last sync would {(losesPeople ? $"disable {plan.Losing} of {plan.Mine} accounts" : $"close or empty {groupPlan.Losing} of {groupPlan.Mine} groups")} and has changed nothing; look with: cbamail directory sync {source.Name} --dry-run, and confirm with --force" : "";
            source.Standing = new(now, stopped ? source.Standing.Done : now, stopped ? source.Standing.Failing ?? now : null, problem, difference);
            if (stopped) LdapTelemetry.NotSynced(log, source.Name, problem);
            else LdapTelemetry.Synced(log, source.Name, difference.ToString());
            foreach (var collision in plan.Collisions.Take(20)) LdapTelemetry.Collides(log, source.Name, collision);
            return difference;
        }
        catch (LdapTrouble e)
        {
            if (!tryOnly)
            {
                source.Standing = source.Standing with { Tried = now, Failing = source.Standing.Failing ?? now, Problem = e.Message };
                LdapTelemetry.NotSynced(log, source.Name, e.Message);
            }
            return Refusal.Unavailable.Because($"The directory {source.Name} cannot be read: {e.Message}");
        }
        finally
        {
            source.Syncing.Release();
        }
    }

    /// <summary>Makes the account of one person, who has signed in for the first time.</summary>
    public async ValueTask<Result<Account>> MakeAsync(LdapSource source, LdapPerson person, CancellationToken cancel)
    {
        var plan = new Plan();
        Newcomer(source, plan, person, directory.ListRemovedOf(source.Name), new HashSet<string>(StringComparer.Ordinal), atSignIn: true);
        var done = await ApplyAsync(source, plan, cancel);
        foreach (var collision in plan.Collisions) LdapTelemetry.Collides(log, source.Name, collision);
        // two sign-ins at once: the other one has made it
        return done.Count == 1 || directory.FindAccount(person.Address)?.Profile.Origin is { } origin && origin.Source == source.Name && origin.Id == person.Id ? directory.FindAccount(person.Address)! : Refusal.SignInFailed;
    }

    Plan MakePlan(LdapSource source, IReadOnlyList<(LdapPerson? Person, string? LeftOut)> read, DateTimeOffset now)
    {
        var plan = new Plan { Entries = read.Count, LeftOut = read.Count(one => one.Person is null) };
        plan.Reasons.AddRange(read.Where(one => one.LeftOut is not null).Take(MostReasons).Select(one => one.LeftOut!));
        var mine = directory.ListAccounts().Where(account => account.Profile.Origin?.Source == source.Name).DistinctBy(account => account.Profile.Origin!.Id).ToDictionary(account => account.Profile.Origin!.Id, StringComparer.Ordinal);
        plan.Mine = mine.Values.Count(account => account.Enabled);
        var removed = directory.ListRemovedOf(source.Name);
        var people = read.Where(one => one.Person is not null).Select(one => one.Person!).DistinctBy(person => person.Id).ToList();
        plan.People.AddRange(people);
        var present = people.Select(person => person.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var same in people.GroupBy(person => person.Address.Key))
        {
            // of several with one address the one who has it stays; nobody can say whose it is otherwise
            var rightful = same.Count() == 1 ? same.First() : same.FirstOrDefault(person => mine.GetValueOrDefault(person.Id)?.Address.Key == same.Key);
            if (same.Count() > 1) plan.Collisions.Add($"{same.Count()} entries have the address {same.First().Address}: {string.Join("; ", same.Take(3).Select(person => person.Name))}");
            foreach (var person in same)
                if (person != rightful) plan.LeftOut++;
                else if (mine.TryGetValue(person.Id, out var account)) Known(source, plan, person, account);
                else Newcomer(source, plan, person, removed, present, atSignIn: false);
        }
        foreach (var account in mine.Values.Where(account => !present.Contains(account.Profile.Origin!.Id))) Gone(source, plan, account, now);
        return plan;
    }

    void Known(LdapSource source, Plan plan, LdapPerson person, Account account)
    {
        plan.Homes[person.Id] = account.Address;
        var next = Become(source, person, account);
        var aliases = Free(plan, person, account);
        var differs = Differences(account, next).ToList();
        if (aliases is not null && !aliases.Select(one => one.ToString()).SequenceEqual(account.Profile.Origin!.Aliases ?? [])) differs.Add("aliases");
        if (differs.Count == 0) { plan.Unchanged++; return; }
        var moves = next.Address.Key != account.Address.Key;
        if (moves && Holder(next.Address, account) is { } holder)
        {
            plan.Collisions.Add($"{account.Address} is {next.Address} now, and {holder} has that address");
            next = next with { Address = account.Address };
            if (differs is ["address"]) { plan.Unchanged++; return; }
            moves = false;
        }
        var kept = plan.Homes[person.Id] = next.Address;
        var kind = account.Enabled && !next.Enabled ? "disabled" : moves ? "renamed" : !account.Enabled && next.Enabled ? "enabled" : "changed";
        if (kind == "disabled") plan.Losing++;
        plan.Steps.Add(new(kind, next.Address, kind == "renamed" ? $"was {account.Address}" : string.Join(", ", differs), new(account.Id) { Change = current => Become(source, person, current) with { Address = kept }, Aliases = aliases }, account));
    }

    void Newcomer(LdapSource source, Plan plan, LdapPerson person, IReadOnlyDictionary<string, long> removed, HashSet<string> present, bool atSignIn)
    {
        var bare = new Account(0, 0, person.Address, "", Role.User, 0, "", true, time.GetUtcNow()) { Profile = new AccountProfile { Language = person.Language } };
        if (directory.FindAccount(person.Address) is { } there)
        {
            // of its own it may take one whose entry is gone and came again as another
            var mayAdopt = source.Settings.Adopt && (there.Profile.Origin is not { } origin || (origin.Source == source.Name && !present.Contains(origin.Id)));
            if (!mayAdopt) { plan.LeftOut++; plan.Collisions.Add($"{person.Address} is {(there.Profile.Origin is { } other ? $"an account of ldap:{other.Source}, of another entry than {person.Name}" : "an account of this server")}; adopt takes it over"); return; }
            plan.Homes[person.Id] = person.Address;
            plan.Steps.Add(new("adopted", person.Address, "", new(there.Id) { Change = current => Become(source, person, current), EndsPassword = true, Aliases = Free(plan, person, there) }, there));
            return;
        }
        if (directory.FindGroup(person.Address) is not null) { plan.LeftOut++; plan.Collisions.Add($"{person.Address} is a group of this server"); return; }
        if (directory.FindAlias(person.Address) is not null) { plan.LeftOut++; plan.Collisions.Add($"{person.Address} is an alias of this server"); return; }
        if (!person.Enabled || source.Settings.Create == LdapCreation.Never || (source.Settings.Create == LdapCreation.SignIn && !atSignIn && !removed.ContainsKey(person.Id)))
        {
            plan.LeftOut++;
            if (plan.Reasons.Count < MostReasons) plan.Reasons.Add(person.Enabled ? $"{person.Address} gets an account {(source.Settings.Create == LdapCreation.Never ? "by adoption only" : "at the first sign-in")}" : $"{person.Address} is disabled there, and has no account");
            return;
        }
        var aliases = Free(plan, person, bare);
        plan.Homes[person.Id] = person.Address;
        if (removed.TryGetValue(person.Id, out var away))
        {
            plan.Steps.Add(new("restored", person.Address, "", new(away) { BringBack = true, Change = current => Become(source, person, current with { Enabled = true }), Aliases = aliases }, null));
            return;
        }
        var next = Become(source, person, bare);
        plan.Steps.Add(new("made", person.Address, "", new(0) { Add = new(person.Address.ToString(), next.Name, null, person.Quota, next.Role, next.Groups) { Profile = next.Profile }, Aliases = aliases }, null));
    }

    static void Gone(LdapSource source, Plan plan, Account account, DateTimeOffset now)
    {
        var origin = account.Profile.Origin!;
        if (origin.Gone is { } since)
        {
            if (source.Settings.RemoveAfter > TimeSpan.Zero && now - since >= source.Settings.RemoveAfter) plan.Steps.Add(new("removed", account.Address, $"gone since {since:yyyy-MM-dd}", new(account.Id) { PutAway = true }, account));
            else plan.Unchanged++;
            return;
        }
        if (account.Enabled) plan.Losing++;
        plan.Steps.Add(new("disabled", account.Address, "gone from the directory", new(account.Id)
        {
            Change = current => current with { Enabled = false, Profile = current.Profile with { Origin = current.Profile.Origin! with { Gone = DateTimeOffset.FromUnixTimeMilliseconds(now.ToUnixTimeMilliseconds()), Off = current.Enabled ? true : current.Profile.Origin.Off } } },
        }, account));
    }

    /// <summary>What an account is once it is what the directory says.</summary>
    static Account Become(LdapSource source, LdapPerson person, Account now)
    {
        var by = "ldap:" + source.Name;
        var (before, profile) = (now.Profile.Origin, now.Profile);
        // disabled there and by this: it is enabled there again. One that was disabled here stays so
        var off = person.Enabled ? null : now.Enabled ? true : before?.Off;
        var enabled = person.Enabled ? now.Enabled || before?.Off == true : false;
        var role = now.Role;
        if (source.Mapping.RoleOf(person.Groups) is { } wanted && role != wanted && (profile.RoleBy == by || role < wanted))
        {
            role = wanted;
            profile = profile with { RoleBy = wanted == Role.User ? null : by };
        }
        profile = profile with { Origin = new AccountOrigin(source.Name, person.Id, person.Name) { Masters = source.Mapping.Masters, Aliases = before?.Aliases, Off = off } };
        return now with
        {
            Address = person.Address,
            Name = person.Display ?? now.Name,
            Quota = person.Quota ?? now.Quota,
            Groups = person.Groups is null ? now.Groups : LdapMapping.Words(person.Groups),
            Enabled = enabled,
            Role = role,
            Profile = profile,
        };
    }

    static IEnumerable<string> Differences(Account one, Account other)
    {
        if (one.Address.Key != other.Address.Key) yield return "address";
        if (one.Name != other.Name) yield return "name";
        if (one.Quota != other.Quota) yield return "quota";
        if (one.Groups != other.Groups) yield return "groups";
        if (one.Role != other.Role || one.Profile.RoleBy != other.Profile.RoleBy) yield return "role";
        if (one.Enabled != other.Enabled) yield return "enabled";
        if (one.Profile.Origin is not { } origin || !origin.Same(other.Profile.Origin!)) yield return "origin";
    }

    /// <summary>Those of a person's aliases that nobody else has.</summary>
    List<MailAddress>? Free(Plan plan, LdapPerson person, Account account)
    {
        if (person.Aliases is null) return null;
        var free = new List<MailAddress>();
        foreach (var alias in person.Aliases)
            if (account.Profile.Origin?.Aliases?.Contains(alias.ToString()) == true || Holder(alias, account) is not { } holder) free.Add(alias);
            else if (account.Address.Key != alias.Key) plan.Collisions.Add($"{person.Address} has the alias {alias}, and {holder} has that address");
        return free;
    }

    string? Holder(MailAddress address, Account but) =>
        directory.FindAccount(address) is { } account ? account.Id == but.Id ? null : "another account"
        : directory.FindAlias(address) is { } alias && !(alias.Targets is [var target] && target == but.Address.ToString()) ? "an alias"
        : directory.FindGroup(address) is not null ? "a group" : null;

    Dictionary<string, MailAddress> HomesNow(LdapSource source) =>
        directory.ListAccounts().Where(account => account.Profile.Origin?.Source == source.Name).DistinctBy(account => account.Profile.Origin!.Id).ToDictionary(account => account.Profile.Origin!.Id, account => account.Address, StringComparer.Ordinal);

    async Task<List<LdapGroupStep>> ApplyAsync(LdapSource source, LdapGroupPlan plan, CancellationToken cancel)
    {
        var done = new List<LdapGroupStep>();
        foreach (var step in plan.Steps)
        {
            var result = await directory.ApplyAsync(step.Deed, (write, after) => Record?.Invoke(write, source.Name, Deed(step, after)), cancel);
            if (result.Ok) done.Add(step);
            else plan.Collisions.Add($"the group {step.Address} is not {step.Kind}: {result.Refusal.Sentence}");
        }
        return done;
    }

    static LdapDeed Deed(LdapGroupStep step, MailGroup? after)
    {
        var (action, status) = step.Before is null ? ("POST /api/v1/groups", 201) : after is null ? ("DELETE /api/v1/groups/{address}", 200) : ("PATCH /api/v1/groups/{address}", 200);
        return new(action, step.Before is { } was ? "/api/v1/groups/" + was.Address : "/api/v1/groups", status, step.Before is { } before ? Shown(before) : null, after is null ? null : Shown(after));
    }

    static string Shown(MailGroup group) => JsonSerializer.Serialize(new { address = group.Address.ToString(), name = group.Profile.Name, members = group.Others.Count, gone = group.Profile.Origin?.Gone, directory = group.Profile.Origin?.Source }, Json);

    async Task<List<Step>> ApplyAsync(LdapSource source, Plan plan, CancellationToken cancel)
    {
        var done = new List<Step>();
        for (var start = 0; start < plan.Steps.Count; start += Batch)
        {
            var steps = plan.Steps.GetRange(start, Math.Min(Batch, plan.Steps.Count - start));
            var results = await directory.ApplyAsync([.. steps.Select(step => step.Deed)], (write, i, account) => Record?.Invoke(write, source.Name, Deed(steps[i], account)), cancel);
            for (var i = 0; i < steps.Count; i++)
            {
                var (step, (result, taken)) = (steps[i], results[i]);
                plan.Collisions.AddRange(taken.Select(alias => $"{step.Address} has the alias {alias}, and somebody else has that address"));
                if (!result.Ok) { plan.Collisions.Add($"{step.Address} is not {step.Kind}: {result.Refusal.Sentence}"); continue; }
                done.Add(step);
            }
        }
        return done;
    }

    static LdapDeed Deed(Step step, Account after)
    {
        var (action, status) = step.Kind switch
        {
            "made" => ("POST /api/v1/accounts", 201),
            "restored" => ("POST /api/v1/removed-accounts/{id}/restore", 200),
            "removed" => ("DELETE /api/v1/accounts/{address}", 200),
            "renamed" => ("POST /api/v1/accounts/{address}/rename", 200),
            _ => ("PATCH /api/v1/accounts/{address}", 200),
        };
        return new(action, step.Kind == "made" ? "/api/v1/accounts" : "/api/v1/accounts/" + (step.Before?.Address ?? after.Address), status, step.Before is { } before ? Shown(before) : null, step.Kind == "removed" ? null : Shown(after));
    }

    static string Shown(Account account) => JsonSerializer.Serialize(new { address = account.Address.ToString(), name = account.Name, role = Roles.Show(account.Role), quota = account.Quota, groups = account.Groups, enabled = account.Enabled, directory = account.Profile.Origin?.Source }, Json);
}
