using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using CbaMail.Config;
using CbaMail.Courses;
using CbaMail.Envelope;
using CbaMail.Mailboxes;
using CbaMail.Mime;
using CbaMail.Queue;
using CbaMail.Storage;

namespace CbaMail.Mailings.Approvals;

/// <summary>
/// Approval of mailings by a second person. Who it is: an approver whom the policy names, by his own link or his own account; never who made the mailing or
/// asked. A decision is about what was there to be seen: <see cref="ApprovalGate"/> compares it with what is about to be sent.
/// </summary>
public sealed class ApprovalBook(Store store, MailStore mail, MailQueue queue, PressRoom press, Settings settings, TimeProvider time)
{
    const int MostApprovers = 20, LongestNote = 1000, MostText = 20_000;

    static readonly Refusal NoLink = Refusal.NoSuchThing.Because("This link is not valid any more");

    // ---- policies

    /// <param name="course">Null: that of the domain.</param>
    public ApprovalPolicy? Policy(string domain, Course? course)
    {
        using var read = store.Read();
        return ApprovalTable.Policy(read.Prepare, domain, course?.Id ?? 0);
    }

    public async ValueTask<Result<ApprovalPolicy>> PutPolicyAsync(string domain, Course? course, ApprovalPolicy policy, CancellationToken cancel)
    {
        if (policy.Above < 0) return Refusal.Invalid.Because("The number of readers is not below 0").At("above");
        var approvers = new List<string>();
        foreach (var text in policy.Approvers)
        {
            if (!MailAddress.TryParse(text.Trim(), out var address)) return Refusal.BadAddress.Because($"\"{ParticipantFile.OneLine(text)}\" is not an address").At("approvers");
            if (!approvers.Contains(address.ToString(), StringComparer.OrdinalIgnoreCase)) approvers.Add(address.ToString());
        }
        if (approvers.Count is 0 or > MostApprovers) return Refusal.Invalid.Because($"Name 1 to {MostApprovers} approvers").At("approvers");
        policy = policy with { Classes = [.. policy.Classes.Distinct()], Approvers = approvers };
        await store.CommitAsync(write => { ApprovalTable.PutPolicy(write, domain, course?.Id ?? 0, policy); return true; }, cancel);
        return policy;
    }

    public ValueTask<bool> RemovePolicyAsync(string domain, Course? course, CancellationToken cancel) => store.CommitAsync(write => ApprovalTable.RemovePolicy(write, domain, course?.Id ?? 0), cancel);

    // ---- looking

    public Result<ApprovalView> Look(long id)
    {
        var made = press.ComposerOf(id, withFiles: false);
        if (!made.Ok) return made.Refusal;
        using var read = store.Read();
        var reached = press.Reached(read, made.Value);
        var readers = reached.Ok ? reached.Value.People.Count : 0;
        var (mailing, course) = (made.Value.Mailing, made.Value.Course);
        var policies = ApprovalGate.Covering(read, course, mailing.Class, readers);
        if (ApprovalTable.Of(read.Prepare, id) is not { } one) return new ApprovalView(policies.Count > 0, "none", [], Named(policies), readers, null, null, null, null, null, null);
        // what has been sent is what it was
        var changed = mailing.State is MailingState.Draft or MailingState.Scheduled ? ApprovalGate.Changed(one, ApprovalGate.Content(read, mailing, course), readers) : [];
        return new ApprovalView(policies.Count > 0, changed.Count > 0 && one.State != "refused" ? "changed" : one.State, changed, Named(policies), one.Readers, one.AskedBy, one.Asked, one.Note, one.DecidedBy, one.Decided, one.Reason);
    }

    static IReadOnlyList<string> Named(List<ApprovalPolicy> policies) => [.. policies.SelectMany(policy => policy.Approvers).Distinct(StringComparer.OrdinalIgnoreCase)];

    /// <summary>The mailing that a link speaks of and whose link it is, while there is something to decide.</summary>
    public (Mailing Mailing, Course Course, ApprovalView View, string Approver)? Find(string token)
    {
        (long Mailing, string Approver) link;
        Mailing? mailing;
        Course? course;
        using (var read = store.Read())
        {
            if (ApprovalTable.FindLink(read.Prepare, Digest(token)) is not { } found) return null;
            (link, mailing) = (found, MailingTable.Get(read, found.Mailing));
            course = mailing is null ? null : CourseTable.Get(read, mailing.CourseId);
        }
        return mailing is not null && course is not null && Look(link.Mailing) is { Ok: true, Value: var view } && view.State is "asked" or "changed" ? (mailing, course, view, link.Approver) : null;
    }

    // ---- asking

    /// <param name="who">The key of his address, or how he came.</param>
    public async ValueTask<Result<ApprovalView>> AskAsync(long id, string who, string? note, CancellationToken cancel)
    {
        note = (note ?? "").Trim();
        if (note.Length > LongestNote) return Refusal.Invalid.Because($"The note has at most {LongestNote} characters").At("note");
        var made = press.ComposerOf(id, withFiles: false);
        if (!made.Ok) return made.Refusal;
        var (mailing, course) = (made.Value.Mailing, made.Value.Course);
        if (mailing.State is not MailingState.Draft) return Refusal.Conflict.Because($"Mailing {id} is {MailingTable.Word(mailing.State)}; only a draft can be approved");
        SortedDictionary<string, string> content;
        List<string> approvers;
        int readers;
        bool russian = course.Language == "ru";
        using (var read = store.Read())
        {
            var reached = press.Reached(read, made.Value);
            if (!reached.Ok) return reached.Refusal;
            readers = reached.Value.People.Count;
            var policies = ApprovalGate.Covering(read, course, mailing.Class, readers);
            if (policies.Count == 0) return Refusal.Conflict.Because($"Mailing {id} needs nobody's approval");
            approvers = [.. Named(policies).Where(one => Key(one) != mailing.Author && Key(one) != who)];
            if (approvers.Count == 0) return Refusal.Conflict.Because("Nobody but who wrote it may approve it; name another approver");
            content = ApprovalGate.Content(read, mailing, course);
        }
        var preview = press.Preview(id, null);
        var sample = preview.Ok ? preview.Value.Text : preview.Refusal.Sentence;
        if (sample.Length > MostText) sample = sample[..MostText] + "…";
        var subject = preview.Ok ? preview.Value.Subject : mailing.Subject;
        var letters = new List<(MailAddress To, byte[] Digest, StagedMessage Letter)>();
        try
        {
            foreach (var approver in approvers)
            {
                if (!MailAddress.TryParse(approver, out var to)) continue;
                var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(20));
                letters.Add((to, Digest(token), mail.Stage(Letter(mailing, course, to, russian, token, subject, readers, note, sample))));
            }
            var asked = await store.CommitAsync(write =>
            {
                if (MailingTable.State(write, id) is not MailingState.Draft) return false;
                ApprovalTable.Remove(write, id); // links of an earlier question are void
                ApprovalTable.Put(write, new(id, "asked", content, readers, who, time.GetUtcNow(), note, null, null, ""));
                write.BodiesFirst();
                foreach (var (to, digest, letter) in letters)
                {
                    ApprovalTable.AddLink(write, digest, id, to.ToString());
                    queue.Enqueue(write, new NewQueueEntry(null, mail.AddContent(write, letter), [new QueueRecipient(to, "NEVER")], EightBit: true, Class: MailClass.Transactional) { MessageId = letter.MessageId });
                }
                return true;
            }, cancel);
            return asked ? Look(id) : Refusal.Conflict.Because($"Mailing {id} is not a draft any more");
        }
        finally
        {
            foreach (var (_, _, letter) in letters) letter.Dispose();
        }
    }

    byte[] Letter(Mailing mailing, Course course, MailAddress to, bool russian, string token, string subject, int readers, string note, string sample)
    {
        var link = $"{settings.Admission.Root(settings)}/approval/{token}?lang={(russian ? "ru" : "en")}";
        var remark = note.Length == 0 ? "" : $"\n{note}\n";
        var message = new MessageBuilder
        {
            From = (course.Name, $"postmaster@{course.Domain}"),
            Subject = russian ? $"Ждёт одобрения: {subject}" : $"Waits for your approval: {subject}",
            Text = russian
                ? $"Рассылка {mailing.Id} курса «{course.Name}» ждёт вашего решения. Получателей: {readers}, вид: {Kind(mailing.Class, russian)}, от {mailing.FromAddress}.\n{remark}\nПосмотреть, одобрить или отклонить: {link}\nИли: cbamail mailing approve {mailing.Id}\n\nТак её увидит один из получателей:\n----------\n\n{sample}\n"
                : $"Mailing {mailing.Id} of the course \"{course.Name}\" waits for your decision. Readers: {readers}, class: {Kind(mailing.Class, russian)}, from {mailing.FromAddress}.\n{remark}\nLook at it, approve or refuse it: {link}\nOr: cbamail mailing approve {mailing.Id}\n\nAs one of its readers will see it:\n----------\n\n{sample}\n",
            Date = time.GetUtcNow(),
            MessageId = $"{Guid.NewGuid():N}@{course.Domain}",
        };
        message.To.Add(("", to.ToString()));
        message.Headers.Add(("Auto-Submitted", "auto-generated")); // RFC 3834 5
        var output = new ArrayBufferWriter<byte>(4096);
        message.WriteTo(output);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>What a class is called.</summary>
    internal static string Kind(MailingClass kind, bool russian) => kind switch
    {
        MailingClass.Mandatory => russian ? "обязательная" : "mandatory",
        MailingClass.Optional => russian ? "по желанию" : "optional",
        MailingClass.Marketing => russian ? "рекламная" : "marketing",
        _ => russian ? "учебная" : "course",
    };

    // ---- deciding

    /// <summary>Decides by the link of an approver.</summary>
    public async ValueTask<Refusal?> DecideAsync(string token, bool accept, string? reason, CancellationToken cancel) =>
        Find(token) is var (mailing, _, _, approver) ? await DecideAsync(mailing.Id, Key(approver), mayAnyway: false, accept, reason, cancel) : NoLink;

    /// <param name="who">The key of his address, or how he came.</param>
    /// <param name="mayAnyway">He administers the course's domain, and need not be named.</param>
    public async ValueTask<Refusal?> DecideAsync(long id, string who, bool mayAnyway, bool accept, string? reason, CancellationToken cancel)
    {
        reason = ParticipantFile.OneLine(reason ?? "");
        if (reason.Length > LongestNote) return Refusal.Invalid.Because($"The reason has at most {LongestNote} characters").At("reason");
        if (!accept && reason.Length == 0) return Refusal.Invalid.Because("Say why it is refused: its author is to mend it").At("reason");
        var made = press.ComposerOf(id, withFiles: false);
        if (!made.Ok) return made.Refusal;
        var looked = Look(id);
        if (!looked.Ok) return looked.Refusal;
        var view = looked.Value;
        if (view.State is "none" or "approved" or "refused") return Refusal.Conflict.Because($"Nobody asks for the approval of mailing {id} now");
        if (who == made.Value.Mailing.Author || who == view.AskedBy) return Refusal.NotPermitted.Because("Who wrote a mailing or asks for its approval does not approve it: another person must");
        if (!mayAnyway && !view.Approvers.Any(one => Key(one) == who)) return Refusal.NotPermitted.Because("You are not among those who approve this mailing");
        if (accept && view.State == "changed") return Refusal.Conflict.Because($"Mailing {id} has changed since its approval was asked for ({string.Join(", ", view.Changed)}); it must be asked for again");
        return await store.CommitAsync<Refusal?>(write =>
        {
            if (ApprovalTable.Of(write.Prepare, id) is not { State: "asked" } one || one.Asked != view.Asked) return Refusal.Conflict.Because($"Nobody asks for the approval of mailing {id} now");
            ApprovalTable.RemoveLinks(write, id);
            ApprovalTable.Put(write, one with { State = accept ? "approved" : "refused", DecidedBy = who, Decided = time.GetUtcNow(), Reason = reason });
            return null;
        }, cancel);
    }

    /// <summary>Takes a question back; what was approved needs a new one then.</summary>
    public async ValueTask<Refusal?> WithdrawAsync(long id, CancellationToken cancel)
    {
        if (press.Find(id) is { Ok: false, Refusal: var none }) return none;
        return await store.CommitAsync(write => MailingTable.State(write, id) is MailingState.Draft && ApprovalTable.Remove(write, id), cancel) ? null : Refusal.Conflict.Because($"Nothing was asked for mailing {id}, or it has gone out");
    }

    static string Key(string address) => MailAddress.TryParse(address, out var parsed) ? parsed.Key : address;

    static byte[] Digest(string token) => SHA256.HashData(Encoding.ASCII.GetBytes(token.ToLowerInvariant()));
}
