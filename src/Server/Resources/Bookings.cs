using System.Globalization;
using CbaMail.Calendar;
using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mime;
using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Resources;

/// <summary>A letter that a resource writes, and what becomes true in the commit that places it.</summary>
/// <param name="Owners">What owners are told: placed by the same commit.</param>
/// <param name="Alongside">Throws <see cref="Overtaken"/> where what the letter says does not hold any more.</param>
public sealed record ResourceLetter(Resource Resource, MailAddress To, byte[] Message, IReadOnlyList<(MailAddress To, byte[] Message)> Owners, Action<WriteTransaction> Alongside);

/// <summary>Somebody else was faster between the judgement and the commit: judge anew.</summary>
public sealed class Overtaken : Exception;

/// <summary>
/// Takes invitations and cancellations for resources. A booking and the answer that tells of it are one commit; what is judged on a read is judged
/// again in that commit, so of two who ask at once one hears that it is taken.
/// </summary>
public sealed class Bookings(Store store, UserDirectory directory, ResourceBook book, TimeProvider time, Settings settings)
{
    /// <summary>Addresses of services that may name an organizer elsewhere.</summary>
    public IReadOnlyList<string> CalendarServices => settings.Resources.CalendarServices;

    const int MostJudgements = 50;

    /// <summary>How long bookings are kept once they are over.</summary>
    public static readonly TimeSpan KeptOver = TimeSpan.FromDays(90);

    /// <summary>Octets of a part that are decoded: base64 of <see cref="CalendarText.MostBytes"/> and some more, so that what is too large is seen to be.</summary>
    const int MostEncoded = CalendarText.MostBytes / 4 * 6;

    /// <param name="Rights">Whose rights count.</param>
    readonly record struct Asking(Account? SignedIn, MailAddress Rights);

    /// <summary>To what is no invitation, or nothing that may be answered: junk, and what comes from no sender.</summary>
    public static readonly Refusal OnlyInvitations = Refusal.NotPermitted.Because("This address takes invitations and cancellations (text/calendar) only");

    /// <summary>One event of an invitation with what is answered to it.</summary>
    /// <param name="Instance">RECURRENCE-ID, or -1.</param>
    /// <param name="Ends">When the last that it asks for is over.</param>
    /// <param name="IsNew">It says something later than what is known; else the same again.</param>
    sealed record Answered(CalendarEvent Event, long Instance, BookingVerdict Verdict, DateTimeOffset Ends, bool IsNew);

    /// <summary>Takes a message for a resource.</summary>
    /// <param name="asked">The address that was written to.</param>
    /// <param name="send">Places a letter, its <see cref="ResourceLetter.Alongside"/> in the same commit.</param>
    /// <returns>Null, or why it was not taken.</returns>
    public async ValueTask<Refusal?> TakeAsync(MailAddress address, MailAddress asked, ReadOnlyMemory<byte> message, Booker booker, Func<ResourceLetter, ValueTask<Refusal?>> send, CancellationToken cancel)
    {
        if (book.Find(address) is not { } resource) return Refusal.NoSuchUser;
        if (FindCalendar(message.Span) is not var (calendar, named)) return OnlyInvitations;
        if (!Invitation.TryRead(calendar, resource.Profile.Zone, named, out var invitation, out var problem)) return OnlyInvitations.Because($"The invitation cannot be read: {problem}");
        if (!MailAddress.TryParse(invitation.Series.First.Organizer ?? "", out var organizer)) return OnlyInvitations.Because("The invitation names no organizer");
        // whoever is answered must be the one who asks, or the answers could be turned against anybody
        if (booker.Asks(organizer, directory) is not { } asker) return Refusal.NotPermitted.Because("The organizer of the invitation is not proven to be its sender");
        switch (invitation.Method)
        {
            case SchedulingMethod.Request:
                // what somebody else was sent, and has passed on with its signature, asks nothing of the resource
                if (booker.SignedIn is null && !invitation.Invites(attendee => IsOf(resource, attendee) || attendee.Equals(asked.ToString(), StringComparison.OrdinalIgnoreCase)))
                    return Refusal.NotPermitted.Because("The invitation does not name the resource among its attendees");
                return await AnswerAsync(resource, invitation, organizer, new(booker.SignedIn, asker), send, cancel);
            case SchedulingMethod.Cancel:
                await store.CommitAsync(write =>
                {
                    Cancel(write, resource, invitation, organizer, book.MayBook(resource, asker, booker.SignedIn), time.GetUtcNow());
                    return true;
                }, cancel);
                return null;
            case SchedulingMethod.DeclineCounter: return null; // RFC 5546 3.2.8: what was agreed stands, and a resource never proposes another time
            case SchedulingMethod.Counter: return OnlyInvitations.Because("A resource takes no other time that is proposed to it (COUNTER): its organizer sends a new invitation");
            default: return OnlyInvitations;
        }
    }

    /// <summary>Whether the address is the resource's: its own, in a domain's other name, or an alias that leads to it alone.</summary>
    bool IsOf(Resource resource, string address) => MailAddress.TryParse(address, out var one)
        && (one.Key == resource.Address.Key || (directory.IsLocal(one) && directory.Resolve(directory.Map(one)) is { Ok: true, Value: [{ Served: { } served }] } && served.Key == resource.Address.Key));

    /// <summary>
    /// The calendar of a message, in UTF-8, and the method that its type names: whether it stands in the message or is attached, or both, the first with a method
    /// (RFC 6047 2.4), else the first. What stands in a message that is attached was sent to others.
    /// </summary>
    static (byte[] Calendar, string? Method)? FindCalendar(ReadOnlySpan<byte> message)
    {
        MimePart? found = null;
        var open = new Stack<MimePart>([MimeTree.Parse(message)]);
        while (open.TryPop(out var part))
        {
            if (part.Type != "message")
                for (var i = part.Children.Count - 1; i >= 0; i--) open.Push(part.Children[i]);
            if (part is not ({ Type: "text", Subtype: "calendar" } or { Type: "application", Subtype: "ics" }) && part.FileName?.EndsWith(".ics", StringComparison.OrdinalIgnoreCase) != true) continue;
            if (MethodOf(part) is not null)
            {
                found = part;
                break;
            }
            found ??= part;
        }
        if (found is null) return null;
        var bytes = found.Type == "text" && found.Charset is { Length: > 0 } charset && !charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase) && !charset.Equals("us-ascii", StringComparison.OrdinalIgnoreCase)
            ? System.Text.Encoding.UTF8.GetBytes(ContentDecoder.Text(message, found, MostEncoded)) : ContentDecoder.Bytes(message, found, MostEncoded);
        return (bytes, MethodOf(found));

        static string? MethodOf(MimePart part) => MimePart.Parameter(part.Parameters, "method");
    }

    async ValueTask<Refusal?> AnswerAsync(Resource resource, Invitation invitation, MailAddress organizer, Asking asking, Func<ResourceLetter, ValueTask<Refusal?>> send, CancellationToken cancel)
    {
        var essence = invitation.Essence(attendee => IsOf(resource, attendee));
        for (var judged = 0; judged < MostJudgements; judged++)
        {
            cancel.ThrowIfCancellationRequested();
            var now = DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds());
            List<Answered> answers;
            using (var read = store.Read()) answers = Judge(read.Prepare, resource, invitation, organizer, asking, now);
            if (answers.Count == 0) return null; // older than what is known
            try
            {
                // an answer that could not be placed has booked nothing: the invitation is not taken either
                if (await send(new ResourceLetter(resource, organizer, Write(resource, invitation, organizer, one => AnswerTo(one, answers), Why(answers), now), ToOwners(resource, invitation, organizer, answers, now), write =>
                {
                    var again = Judge(write.Prepare, resource, invitation, organizer, asking, now);
                    if (!again.Select(Key).SequenceEqual(answers.Select(Key))) throw new Overtaken();
                    foreach (var one in again.Where(one => one.IsNew)) Record(write, resource, one, essence, organizer, now);
                })) is { } refusal) return refusal;
                return null;
            }
            catch (Overtaken) { } // what was judged on the read holds no more: judge again
        }
        return Refusal.Unavailable.Because("Too many ask for it at once; try again later");

        static (long, Participation, string?, bool) Key(Answered one) => (one.Instance, one.Verdict.Part, one.Verdict.Why, one.IsNew);
    }

    List<Answered> Judge(Func<string, Statement> prepare, Resource asked, Invitation invitation, MailAddress organizer, Asking asking, DateTimeOffset now)
    {
        var answers = new List<Answered>();
        if (ResourceTable.Find(prepare, asked.Id) is not { } resource) return answers;
        var horizon = now.AddDays(ResourceProfile.MostDaysAhead);
        var series = invitation.Series;
        if (series.Whole is { } whole)
        {
            var times = series.Instances(horizon, out var more);
            Add(whole, -1, times, whole.IsRecurring, more);
        }
        else
            foreach (var one in series.Single)
                Add(one, one.RecurrenceId!.Value.ToUnixTimeMilliseconds(), [new(one.RecurrenceId.Value, one.Start, one.End)], recurring: false, more: false);
        return answers;

        void Add(CalendarEvent one, long instance, IReadOnlyList<EventInstance> times, bool recurring, bool more)
        {
            var whole = ResourceTable.FindBooking(prepare, resource.Id, one.Uid, -1);
            var ends = Known(times.Count > 0 ? times.Max(time => time.End) : one.End, now);
            var known = instance == -1 ? whole : ResourceTable.FindBooking(prepare, resource.Id, one.Uid, instance) ?? whole;
            if (known is not null && known.Organizer != organizer.Key && known.IsHeld)
            {
                answers.Add(new(one, instance, new(Participation.Declined, [], times, "It is somebody else's booking"), ends, IsNew: false));
                return;
            }
            if (known is not null && known.Organizer == organizer.Key && !Invitation.IsLater(one, known.Sequence, known.Stamp) && known.Instance == instance)
            {
                // the same again is answered as before (RFC 5546 2.1.5); what is older is passed over
                if (one.Sequence == known.Sequence && one.Stamp == known.Stamp && known.State != "cancelled") answers.Add(new(one, instance, new(Part(known.State), [], Lost(known), known.Why), ends, IsNew: false));
                return;
            }
            var coming = times.Where(at => at.End > now).ToList();
            var verdict = !book.MayBook(resource, asking.Rights, asking.SignedIn) ? new(Participation.Declined, [], coming, "You may not book it")
                : one.IsTransparent ? new(Participation.Accepted, [], [], null)
                : BookingRules.Judge(resource.Profile, coming, recurring, more, now, (from, to) => ResourceTable.Between(prepare, resource.Id, from, to)
                    .Where(other => other.Booking.Uid != one.Uid || (instance != -1 && other.Booking.Instance != instance && !(other.Booking.Instance == -1 && Same(prepare, other.Booking.Id, instance, other.Start))))
                    .Select(other => new BookedTime(other.Start, other.End, other.Booking.Organizer)));
            answers.Add(new(one, instance, verdict, ends, IsNew: true));
        }

        // of a series that was taken in part the dates that were named by themselves and are not there
        List<EventInstance> Lost(Booking known) => !known.IsHeld || known.Instance != -1 ? [] : [.. series.Single
            .Where(single => !single.IsCancelled && !single.IsTransparent && single.End > now && ResourceTable.StartOf(prepare, known.Id, single.RecurrenceId!.Value.ToUnixTimeMilliseconds()) is null)
            .Select(single => new EventInstance(single.RecurrenceId!.Value, single.Start, single.End))];
    }

    // the time of a series that the asked instance had until now
    static bool Same(Func<string, Statement> prepare, long booking, long original, DateTimeOffset start) => ResourceTable.StartOf(prepare, booking, original) == start;

    static Participation Part(string state) => state switch { "accepted" => Participation.Accepted, "tentative" => Participation.Tentative, _ => Participation.Declined };

    static string State(Participation part) => part switch { Participation.Accepted => "accepted", Participation.Tentative => "tentative", _ => "declined" };

    /// <summary>What is answered to one event: of a series that is taken in part, to each instance that was named by itself.</summary>
    static Participation AnswerTo(CalendarEvent one, List<Answered> answers)
    {
        if (answers.Find(answer => answer.Event == one) is { } own) return own.Verdict.Part;
        var whole = answers[0].Verdict;
        return one.RecurrenceId is { } original && whole.Declined.Any(declined => declined.Original == original) ? Participation.Declined : whole.Part;
    }

    static string? Why(List<Answered> answers) => string.Join("; ", answers.Select(one => one.Verdict.Why).Where(why => why is not null).Distinct()) is { Length: > 0 } why ? why : null;

    static void Record(WriteTransaction write, Resource resource, Answered one, byte[] essence, MailAddress organizer, DateTimeOffset now)
    {
        var uid = one.Event.Uid;
        if (one.Instance == -1) ResourceTable.RemoveSingle(write, resource.Id, uid);
        else if (ResourceTable.FindBooking(write.Prepare, resource.Id, uid, -1) is { } series) ResourceTable.Free(write, series.Id, one.Instance);
        // who is declined and had nothing leaves nothing: strangers would fill the table
        if (one.Verdict.Part == Participation.Declined && ResourceTable.FindBooking(write.Prepare, resource.Id, uid, one.Instance) is null && (one.Instance == -1 || ResourceTable.FindBooking(write.Prepare, resource.Id, uid, -1) is null)) return;
        var summary = one.Event.Summary;
        ResourceTable.Put(write, new Booking(0, resource.Id, uid, one.Instance, one.Event.Sequence, one.Event.Stamp, organizer.Key, summary.Length > 500 ? summary[..500] : summary,
            State(one.Verdict.Part), one.Verdict.Taken.Count == 0 ? null : essence, now, one.Verdict.Why, one.Ends), one.Verdict.Taken);
    }

    /// <summary>When what is known of an event that ends then is over: none can be booked later, so what others say of the year 8000 is not kept until then.</summary>
    static DateTimeOffset Known(DateTimeOffset ends, DateTimeOffset now) => now.AddDays(ResourceProfile.MostDaysAhead) is var latest && ends > latest ? latest : ends;

    // RFC 5546 3.2.5: the whole, or single instances of it; only the one whose booking it is
    /// <param name="mayBook">What comes before the invitation that it cancels is remembered, of those who may book.</param>
    static void Cancel(WriteTransaction write, Resource resource, Invitation invitation, MailAddress organizer, bool mayBook, DateTimeOffset now)
    {
        if (invitation.Series.Whole is { } whole)
        {
            var booking = ResourceTable.FindBooking(write.Prepare, resource.Id, whole.Uid, -1);
            if (booking is not null && (booking.Organizer != organizer.Key || IsOlder(whole, booking))) return;
            var organizers = ResourceTable.OrganizersOf(write.Prepare, resource.Id, whole.Uid);
            if (organizers.Exists(other => other != organizer.Key) || (organizers.Count == 0 && !mayBook)) return;
            ResourceTable.RemoveSingle(write, resource.Id, whole.Uid);
            Put(whole, -1, booking?.Ends ?? (whole.IsRecurring ? whole.End.AddDays(ResourceProfile.MostDaysAhead) : whole.End));
            return;
        }
        foreach (var one in invitation.Series.Single)
        {
            var instance = one.RecurrenceId!.Value.ToUnixTimeMilliseconds();
            var series = ResourceTable.FindBooking(write.Prepare, resource.Id, one.Uid, -1);
            var known = ResourceTable.FindBooking(write.Prepare, resource.Id, one.Uid, instance);
            if ((known ?? series) is not { } held || held.Organizer != organizer.Key || IsOlder(one, held)) continue;
            if (series is not null) ResourceTable.Free(write, series.Id, instance);
            Put(one, instance, one.End);
        }

        // programs differ in whether they count SEQUENCE up for it
        static bool IsOlder(CalendarEvent one, Booking known) => one.Sequence < known.Sequence;

        void Put(CalendarEvent one, long instance, DateTimeOffset ends) => ResourceTable.Put(write, new Booking(0, resource.Id, one.Uid, instance, one.Sequence, one.Stamp, organizer.Key, one.Summary.Length > 500 ? one.Summary[..500] : one.Summary, "cancelled", null, one.Stamp, null, Known(ends, now)), []);
    }

    /// <summary>What stands in its time between two moments, by start.</summary>
    public IReadOnlyList<(Booking Booking, DateTimeOffset Start, DateTimeOffset End)> Between(Resource resource, DateTimeOffset from, DateTimeOffset to)
    {
        using var read = store.Read();
        return ResourceTable.Between(read.Prepare, resource.Id, from, to);
    }

    public Booking? Find(Resource resource, long id)
    {
        using var read = store.Read();
        return ResourceTable.FindBooking(read.Prepare, id) is { } found && found.ResourceId == resource.Id ? found : null;
    }

    /// <summary>Approves what waits for it, or takes a booking back; the organizer is told in the same commit.</summary>
    public async ValueTask<Refusal?> DecideAsync(Resource resource, Booking booking, bool accept, string? why, Func<ResourceLetter, ValueTask<Refusal?>> send)
    {
        var gone = Refusal.Conflict.Because("The booking is not held any more, or needs no approval");
        if (!booking.IsHeld || (accept && booking.State != "tentative") || !MailAddress.TryParse(booking.Organizer, out var organizer)) return gone;
        if (booking.Request is not { } calendar || !Invitation.TryRead(calendar, resource.Profile.Zone, null, out var invitation, out _)) return gone;
        var part = accept ? Participation.Accepted : Participation.Declined;
        try
        {
            return await send(new ResourceLetter(resource, organizer, Write(resource, invitation, organizer, _ => part, why, time.GetUtcNow()), [], write =>
            {
                if (ResourceTable.FindBooking(write.Prepare, booking.Id) is not { } now || now.State != booking.State || now.Sequence != booking.Sequence || now.Stamp != booking.Stamp) throw new Overtaken();
                ResourceTable.SetState(write, booking.Id, State(part), why);
                if (!accept) ResourceTable.Free(write, booking.Id);
            }));
        }
        catch (Overtaken) { return gone; }
    }

    byte[] Write(Resource resource, Invitation invitation, MailAddress organizer, Func<CalendarEvent, Participation> answers, string? why, DateTimeOffset now)
    {
        var part = answers(invitation.Series.First);
        var name = resource.Profile.Name ?? resource.Address.ToString();
        var summary = invitation.Series.First.Summary;
        var word = part switch { Participation.Accepted => "Accepted", Participation.Tentative => "Tentative", _ => "Declined" };
        var message = new MessageBuilder
        {
            From = (resource.Profile.Name ?? "", resource.Address.ToString()),
            Subject = $"{word}: {(summary.Length > 200 ? summary[..200] : summary)}",
            Text = string.Create(CultureInfo.InvariantCulture, $"{name}: {word.ToLowerInvariant()}.{(why is null ? "" : $"\n\n{why}.")}\n"),
            Calendar = (invitation.Answer(address => IsOf(resource, address), resource.Address.ToString(), resource.Profile.Kind == "equipment" ? "RESOURCE" : "ROOM", resource.Profile.Name ?? "", answers, why, now), "REPLY"),
            Date = now,
            MessageId = $"{Guid.NewGuid():N}@{resource.Address.Domain}",
        };
        return Bytes(message, organizer);
    }

    /// <summary>Owners are told of what waits for them; each by a letter of his own.</summary>
    static List<(MailAddress To, byte[] Message)> ToOwners(Resource resource, Invitation invitation, MailAddress organizer, List<Answered> answers, DateTimeOffset now)
    {
        var letters = new List<(MailAddress, byte[])>();
        if (!answers.Exists(one => one is { IsNew: true, Verdict.Part: Participation.Tentative })) return letters;
        foreach (var owner in resource.Profile.Owners ?? [])
            if (MailAddress.TryParse(owner, out var to)) letters.Add((to, WriteToOwner(resource, invitation, organizer, to, now)));
        return letters;
    }

    /// <summary>Who is told of what waits for approval may decide on it: whoever gets mail for an owner.</summary>
    public bool IsOwner(Resource resource, Account account) => (resource.Profile.Owners ?? []).Any(owner =>
        MailAddress.TryParse(owner, out var address) && (address.Key == account.Address.Key || (directory.IsLocal(address) && directory.Resolve(address) is { Ok: true, Value: var targets } && targets.Any(target => target.Account?.Id == account.Id))));

    /// <summary>Forgets bookings that were over <see cref="KeptOver"/> ago.</summary>
    public async ValueTask PruneAsync(CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        while (await store.CommitAsync(write => ResourceTable.Prune(write, now, now - KeptOver, 500), cancel) > 0) { }
    }

    static byte[] WriteToOwner(Resource resource, Invitation invitation, MailAddress organizer, MailAddress owner, DateTimeOffset now)
    {
        var summary = invitation.Series.First.Summary;
        var message = new MessageBuilder
        {
            From = (resource.Profile.Name ?? "", resource.Address.ToString()),
            Subject = $"Approval: {(summary.Length > 200 ? summary[..200] : summary)}",
            Text = string.Create(CultureInfo.InvariantCulture, $"{organizer} asks for {resource.Profile.Name ?? resource.Address.ToString()} from {TimeZoneInfo.ConvertTime(invitation.Series.First.Start, resource.Profile.Zone):yyyy-MM-dd HH:mm}. The time is held until you decide:\n\ncbamail resource bookings {resource.Address}\ncbamail resource approve {resource.Address} NUMBER\ncbamail resource refuse {resource.Address} NUMBER\n"),
            Date = now,
            MessageId = $"{Guid.NewGuid():N}@{resource.Address.Domain}",
        };
        return Bytes(message, owner);
    }

    static byte[] Bytes(MessageBuilder message, MailAddress to)
    {
        message.To.Add(("", to.ToString()));
        message.Headers.Add(("Auto-Submitted", "auto-replied")); // RFC 3834 5
        var output = new System.Buffers.ArrayBufferWriter<byte>(4096);
        message.WriteTo(output);
        return output.WrittenSpan.ToArray();
    }
}
