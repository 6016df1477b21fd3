using System.Buffers;
using System.Text;
using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Mailboxes;
using CbaMail.Mime;
using CbaMail.Queue;
using CbaMail.Storage;

namespace CbaMail.Lists;

/// <summary>What a list writes itself, in its language: to who asks for something, and to those who decide. Nothing comes back of it (RFC 3834 3.3).</summary>
public sealed class ListLetters(MailStore mail, MailQueue queue, Settings settings, TimeProvider time)
{
    /// <summary>How long is counted what somebody was written.</summary>
    public static readonly TimeSpan Day = TimeSpan.FromDays(1);

    /// <summary>For so long the same is not written to the same address again, whoever asks for it.</summary>
    static readonly TimeSpan Pause = TimeSpan.FromHours(12);

    /// <summary>Letters to one address in a day, from all lists.</summary>
    const int MostADay = 10;

    /// <summary>Of a larger post moderators see the header only.</summary>
    const int LargestShown = 256 << 10;

    string Root => settings.Admission.Root(settings);

    public StagedMessage Stage(byte[] letter) => mail.Stage(letter);

    /// <param name="returnPath">Null: nothing comes back.</param>
    public void Enqueue(WriteTransaction write, StagedMessage letter, IReadOnlyList<MailAddress> to, MailAddress? returnPath = null)
    {
        if (to.Count == 0) return;
        write.BodiesFirst();
        queue.Enqueue(write, new NewQueueEntry(returnPath, mail.AddContent(write, letter), [.. to.Select(address => new QueueRecipient(address, "NEVER"))], EightBit: true, Class: MailClass.Transactional) { MessageId = letter.MessageId });
    }

    /// <summary>Whether somebody may be written this now; counts it. A stranger's address can be given by anybody.</summary>
    public bool MayWrite(WriteTransaction write, MailList list, MailAddress to, string kind)
    {
        var now = time.GetUtcNow();
        if (ListTable.WasAnswered(write.Prepare, to.Key, list.Id, kind, now - Pause) || ListTable.CountAnswers(write.Prepare, to.Key, now - Day) >= MostADay) return false;
        ListTable.NoteAnswer(write, to.Key, list.Id, kind, now);
        return true;
    }

    // ---- to who asks

    public byte[] Confirm(MailList list, MailAddress to, bool joins, string token) => Write(list, to, list.For(ListCommand.Confirm, token),
        list.IsRussian ? joins ? $"Подтвердите подписку на {list.Title}" : $"Подтвердите отписку от {list.Title}" : joins ? $"Confirm your subscription to {list.Title}" : $"Confirm that you leave {list.Title}",
        list.IsRussian
            ? $"Кто-то — вероятно, вы — попросил {(joins ? "подписать" : "отписать")} {to} {(joins ? "на список" : "от списка")} {list.Address}.\n\nЧтобы подтвердить, просто ответьте на это письмо или откройте:\n{Root}/list/confirm/{token}?lang=ru\n\nЕсли вы об этом не просили, ничего не делайте.\n"
            : $"Somebody, probably you, asked to {(joins ? "subscribe" : "unsubscribe")} {to} {(joins ? "to" : "from")} the list {list.Address}.\n\nTo confirm it, just answer this letter, or open\n{Root}/list/confirm/{token}?lang=en\n\nIf you have not asked for it, do nothing.\n");

    public byte[] Welcome(MailList list, MailAddress to) => Write(list, to, list.For(ListCommand.Help),
        list.IsRussian ? $"Вы подписаны на {list.Title}" : $"You are on the list {list.Title}",
        list.IsRussian ? $"Адрес {to} подписан на список {list.Address}.\n{(list.IsAnnouncement ? "" : $"\nПисать в список: {list.Address}\n")}\n{Ways(list)}" : $"{to} is on the list {list.Address} now.\n{(list.IsAnnouncement ? "" : $"\nTo write to the list: {list.Address}\n")}\n{Ways(list)}");

    public byte[] Goodbye(MailList list, MailAddress to) => Write(list, to, list.For(ListCommand.Help),
        list.IsRussian ? $"Вы отписаны от {list.Title}" : $"You have left the list {list.Title}",
        list.IsRussian ? $"Адрес {to} больше не подписан на список {list.Address}.\n" : $"{to} is not on the list {list.Address} any more.\n");

    /// <summary>Asks whether it was he who wants mail otherwise.</summary>
    public byte[] ConfirmMode(MailList list, MailAddress to, string mode, string token) => Write(list, to, list.For(ListCommand.Confirm, token),
        list.IsRussian ? $"Подтвердите, как получать {list.Title}" : $"Confirm how you get {list.Title}",
        list.IsRussian
            ? $"Кто-то — вероятно, вы — попросил, чтобы {to} получал письма списка {list.Address} так: {Mode(mode, true)}.\n\nЧтобы подтвердить, просто ответьте на это письмо или откройте:\n{Root}/list/confirm/{token}?lang=ru\n\nЕсли вы об этом не просили, ничего не делайте.\n"
            : $"Somebody, probably you, asked that {to} gets mail of the list {list.Address} like this: {Mode(mode, false)}.\n\nTo confirm it, just answer this letter, or open\n{Root}/list/confirm/{token}?lang=en\n\nIf you have not asked for it, do nothing.\n");

    public byte[] ModeSet(MailList list, MailAddress to, string mode) => Write(list, to, list.For(ListCommand.Help), list.IsRussian ? $"Как вы получаете {list.Title}" : $"How you get {list.Title}",
        list.IsRussian ? $"{to} получает письма списка {list.Address} так: {Mode(mode, true)}.\n" : $"{to} gets mail of the list {list.Address} like this: {Mode(mode, false)}.\n");

    public byte[] ArchiveLink(MailList list, MailAddress to, string token) => Write(list, to, list.For(ListCommand.Help), list.IsRussian ? $"Архив {list.Title}" : $"The archive of {list.Title}",
        list.IsRussian ? $"Архив списка {list.Address} открывается по этой ссылке, она только для вас:\n{list.ArchiveUrl(Root)}?key={token}&lang=ru\n\nЕсли вы её не просили, ничего не делайте.\n"
            : $"This link opens the archive of the list {list.Address}; it is for you alone:\n{list.ArchiveUrl(Root)}?key={token}&lang=en\n\nIf you have not asked for it, do nothing.\n");

    /// <summary>A mode in words.</summary>
    public static string Mode(string mode, bool russian) => (mode, russian) switch
    {
        ("digest", true) => "сводки, каждое письмо в них вложением",
        ("digest", false) => "digests with each post attached",
        ("digest-plain", true) => "сводки простым текстом",
        ("digest-plain", false) => "digests as one plain text",
        ("nomail", true) => "никаких писем",
        ("nomail", false) => "no mail",
        (_, true) => "каждое письмо отдельно",
        _ => "each post by itself",
    };

    // ---- what came back

    /// <summary>To one whose mail came back.</summary>
    public byte[] Probe(MailList list, MailAddress to, string token, string bounce) => Write(list, to, list.For(ListCommand.Help),
        list.IsRussian ? $"Доходят ли до вас письма {list.Title}?" : $"Do letters of {list.Title} reach you?",
        list.IsRussian
            ? $"Письма списка {list.Address} на адрес {to} возвращались, поэтому рассылка вам приостановлена.\n{(bounce.Length > 0 ? $"\nПоследний ответ: {bounce}\n" : "")}\nЕсли это письмо дошло, ничего делать не нужно: через несколько дней рассылка продолжится сама. Продолжить сразу или отписаться:\n{Root}/list/{token}?lang=ru\n"
            : $"Letters of the list {list.Address} to {to} came back, so you get none for now.\n{(bounce.Length > 0 ? $"\nThe last answer: {bounce}\n" : "")}\nIf you read this, there is nothing to do: in some days you get mail again. To have it again at once, or to leave:\n{Root}/list/{token}?lang=en\n");

    /// <summary>To the owners.</summary>
    public byte[] Paused(MailList list, IReadOnlyList<ListMember> members) => Write(list, list.For(ListCommand.Owner), list.For(ListCommand.Owner),
        list.IsRussian ? $"{list.Title}: почта возвращается, приостановлено: {members.Count}" : $"{list.Title}: mail comes back, paused: {members.Count}",
        (list.IsRussian ? $"Эти участники списка {list.Address} пока ничего не получают; их спрашивают письмом, доходит ли оно.\n\n" : $"These members of the list {list.Address} get nothing for now; a letter asks them whether they can be reached.\n\n")
            + string.Concat(members.Select(member => $"{member.Address}: {member.Bounce}\n")));

    /// <summary>To the owners.</summary>
    public byte[] TakenOff(MailList list, ListMember member) => Write(list, list.For(ListCommand.Owner), list.For(ListCommand.Owner),
        list.IsRussian ? $"{list.Title}: {member.Address} больше не в списке" : $"{list.Title}: {member.Address} is off the list",
        list.IsRussian ? $"Письма на {member.Address} возвращаются, и {member.Probes} проверочных вернулись тоже. Адрес убран из списка {list.Address}.\n\nПоследний ответ: {member.Bounce}\n"
            : $"Letters to {member.Address} come back, and {member.Probes} that asked about it did too. The address is off the list {list.Address}.\n\nThe last answer: {member.Bounce}\n");

    /// <param name="kind">on, off, closed, waits, refused.</param>
    public byte[] Answer(MailList list, MailAddress to, string kind) => Write(list, to, list.For(ListCommand.Help), list.IsRussian ? $"Список {list.Title}" : $"The list {list.Title}", (kind, list.IsRussian) switch
    {
        ("on", true) => $"Адрес {to} уже подписан на список {list.Address}.\n\n{Ways(list)}",
        ("on", false) => $"{to} is on the list {list.Address} already.\n\n{Ways(list)}",
        ("off", true) => $"Адрес {to} не подписан на список {list.Address}: отписывать некого. Возможно, вы подписаны под другим адресом.\n",
        ("off", false) => $"{to} is not on the list {list.Address}: there is nobody to take off. Perhaps you are on it under another address.\n",
        ("closed", true) => $"На список {list.Address} подписывают только его владельцы. Напишите им: {list.For(ListCommand.Owner)}\n",
        ("closed", false) => $"Only its owners put people on the list {list.Address}. Write to them: {list.For(ListCommand.Owner)}\n",
        ("waits", true) => $"Адрес {to} подтверждён. Теперь подписку на {list.Address} должен одобрить владелец списка; мы вам напишем.\n",
        ("waits", false) => $"{to} is confirmed. Now an owner of {list.Address} has to approve it; we shall write to you.\n",
        (_, true) => $"Владелец списка {list.Address} не одобрил подписку адреса {to}.\n",
        _ => $"An owner of the list {list.Address} has not approved the subscription of {to}.\n",
    });

    public byte[] Help(MailList list, MailAddress to) => Write(list, to, list.For(ListCommand.Owner), list.IsRussian ? $"Как пользоваться списком {list.Title}" : $"How to use the list {list.Title}", Ways(list));

    public byte[] Expired(MailList list, ListPost post) => Write(list, list.Address, list.For(ListCommand.Owner), list.IsRussian ? $"Не опубликовано: {post.Subject}" : $"Not posted: {post.Subject}",
        list.IsRussian ? $"Ваше письмо «{post.Subject}» ждало решения модератора списка {list.Address}. Решения не было, письмо удалено.\n" : $"Your message \"{post.Subject}\" waited for a moderator of the list {list.Address}. Nobody has decided on it, and it is dropped.\n", post.Author);

    string Ways(MailList list) => (list.Profile.HasArchive ? $"{(list.IsRussian ? "Архив" : "The archive")}: {list.ArchiveUrl(Root)}\n" : "") + (list.IsRussian
        ? $"Подписаться: письмо на {list.For(ListCommand.Subscribe)}\nОтписаться: письмо на {list.For(ListCommand.Unsubscribe)}\nПолучать сводки (digest), каждое письмо (normal) или ничего (nomail): письмо на {list.For(ListCommand.Set, "digest")} и так далее\nСправка: письмо на {list.For(ListCommand.Help)}\nКоманды в теме письма (subscribe, unsubscribe, help): {list.For(ListCommand.Request)}\nВладельцы списка: {list.For(ListCommand.Owner)}\n"
        : $"To subscribe, write to {list.For(ListCommand.Subscribe)}\nTo unsubscribe, write to {list.For(ListCommand.Unsubscribe)}\nFor digests, each post (normal) or nothing (nomail), write to {list.For(ListCommand.Set, "digest")} and so on\nFor help, write to {list.For(ListCommand.Help)}\nCommands in the subject (subscribe, unsubscribe, help): {list.For(ListCommand.Request)}\nThe owners of the list: {list.For(ListCommand.Owner)}\n");

    // ---- to those who decide

    public byte[] Applicant(MailList list, string address, string token) => Write(list, list.For(ListCommand.Owner), list.For(ListCommand.Accept, token),
        list.IsRussian ? $"Просит подписки на {list.Title}: {address}" : $"Asks to join {list.Title}: {address}",
        list.IsRussian ? $"{address} просит подписки на список {list.Address}.\n\n{Decide(list, token)}" : $"{address} asks to be put on the list {list.Address}.\n\n{Decide(list, token)}");

    string Decide(MailList list, string token) => list.IsRussian
        ? $"Принять: ответьте на это письмо (оно уйдёт на {list.For(ListCommand.Accept, token)}).\nОтклонить: напишите на {list.For(ListCommand.Reject, token)}\nИли откройте: {Root}/list/decide/{token}?lang=ru\n"
        : $"To accept it, answer this letter (that goes to {list.For(ListCommand.Accept, token)}).\nTo reject it, write to {list.For(ListCommand.Reject, token)}\nOr open {Root}/list/decide/{token}?lang=en\n";

    /// <summary>The held post as it came, in a letter that can be answered (RFC 2046 5.2.1).</summary>
    /// <param name="why">stranger, unproven, all.</param>
    public byte[] HeldPost(MailList list, ListPost post, string why, string token, ReadOnlyMemory<byte> original, int days)
    {
        var reason = (why, list.IsRussian) switch
        {
            ("stranger", true) => "автор не имеет права писать в список сам",
            ("stranger", false) => "its author may not post by himself",
            ("unproven", true) => "не доказано, что письмо действительно от этого автора",
            ("unproven", false) => "nothing proves that it is from this author",
            (_, true) => "в этом списке проверяются все письма",
            _ => "all posts to this list are looked at",
        };
        var text = list.IsRussian
            ? $"Письмо в список {list.Address} ждёт вашего решения: {reason}.\n\nОт: {post.Author}\nТема: {post.Subject}\n\n{Decide(list, token)}\nЧерез {days} дн. без решения оно будет удалено.\n"
            : $"A post to the list {list.Address} waits for you: {reason}.\n\nFrom: {post.Author}\nSubject: {post.Subject}\n\n{Decide(list, token)}\nAfter {days} days without a decision it is dropped.\n";
        var whole = original.Length <= LargestShown;
        var shown = original.Span;
        if (!whole && shown.IndexOf("\r\n\r\n"u8) is >= 0 and var end) shown = shown[..(end + 2)];
        if (!whole && shown.Length > LargestShown) shown = shown[..LargestShown];
        var output = new ArrayBufferWriter<byte>(shown.Length + 4096);
        var writer = new HeaderWriter(output);
        var boundary = Guid.NewGuid().ToString("N");
        Top(writer, list, list.For(ListCommand.Owner).ToString(), list.For(ListCommand.Accept, token), list.IsRussian ? $"Ждёт решения: {post.Subject}" : $"Waits for you: {post.Subject}");
        writer.Structured("MIME-Version", "1.0");
        writer.Parameters("Content-Type", "multipart/mixed", ("boundary", boundary));
        Put($"\r\n--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text.ReplaceLineEndings("\r\n")}\r\n--{boundary}\r\nContent-Type: {(whole ? "message/rfc822" : "text/rfc822-headers")}\r\nContent-Transfer-Encoding: {(Ascii.IsValid(shown) ? "7bit" : "8bit")}\r\nContent-Disposition: inline\r\n\r\n");
        output.Write(shown);
        Put($"\r\n--{boundary}--\r\n");
        return output.WrittenSpan.ToArray();

        void Put(string part) => output.Write(Encoding.UTF8.GetBytes(part));
    }

    void Top(HeaderWriter writer, MailList list, string to, MailAddress from, string subject)
    {
        writer.Structured("Date", MailDate.Format(time.GetUtcNow()));
        writer.Addresses("From", (list.Title, from.ToString()));
        writer.Addresses("To", ("", to));
        writer.Text("Subject", subject);
        writer.Structured("Message-ID", $"<{Guid.NewGuid():N}@{list.Address.Domain}>");
        writer.Structured("Auto-Submitted", "auto-generated"); // RFC 3834 5
    }

    byte[] Write(MailList list, MailAddress to, MailAddress from, string subject, string text, string? toText = null)
    {
        var message = new MessageBuilder
        {
            From = (list.Title, from.ToString()),
            Subject = subject,
            Text = text,
            Date = time.GetUtcNow(),
            MessageId = $"{Guid.NewGuid():N}@{list.Address.Domain}",
        };
        message.To.Add(("", toText ?? to.ToString()));
        message.Headers.Add(("Auto-Submitted", "auto-generated")); // RFC 3834 5
        var output = new ArrayBufferWriter<byte>(4096);
        message.WriteTo(output);
        return output.WrittenSpan.ToArray();
    }
}
