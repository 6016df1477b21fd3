using System.Text;
using CbaMail.Imap;

namespace CbaMail.Tests.House;

/// <summary>Writes docs/*/imap-extensions.md from the rows of the commands: what is announced, by which command, and what it is for.</summary>
internal static class ImapExtensions
{
    private sealed record Extension(string Name, string Source, string English, string Russian);

    // what the rows cannot say: where it is specified and what it is for
    private static readonly Extension[] known =
    [
        new("IMAP4rev1", "RFC 3501", "the protocol as every program knows it", "протокол, который знает каждая программа"),
        new("IMAP4rev2", "RFC 9051", "its new edition; a program turns it on by ENABLE", "его новая редакция; программа включает её командой ENABLE"),
        new("ACL", "RFC 4314", "rights to mailboxes for other people and groups", "права других людей и групп на папки"),
        new("RIGHTS=", "RFC 4314", "which of the newer rights there are", "какие из новых прав есть"),
        new("APPENDLIMIT", "RFC 7889", "how large a message may be", "каким большим может быть письмо"),
        new("BINARY", "RFC 3516", "parts are fetched decoded and stored with NUL octets", "части отдаются раскодированными и принимаются с нулевыми октетами"),
        new("CATENATE", "RFC 4469", "a message is put together from parts that the server has", "письмо собирается из частей, которые есть на сервере"),
        new("CHILDREN", "RFC 3348", "a list says which mailboxes have others below them", "в списке видно, у каких папок есть вложенные"),
        new("COMPRESS=DEFLATE", "RFC 4978", "the connection is compressed", "соединение сжимается"),
        new("CONDSTORE", "RFC 7162", "only what has changed is fetched; two programs do not overwrite each other's flags", "забирается только изменившееся; программы не затирают флаги друг друга"),
        new("CONTEXT=SEARCH", "RFC 5267", "a search that stays and tells what comes and goes", "поиск, который остаётся и сообщает, что прибыло и убыло"),
        new("CONTEXT=SORT", "RFC 5267", "the same of a sorted list", "то же для отсортированного списка"),
        new("CREATE-SPECIAL-USE", "RFC 6154", "a mailbox is created as Sent, Trash, Junk and so on", "папка создаётся сразу как «Отправленные», «Корзина», «Спам» и так далее"),
        new("ENABLE", "RFC 5161", "turns on what changes answers", "включает то, что меняет ответы"),
        new("ESEARCH", "RFC 4731", "results as ranges, the first, the last, or their number alone", "итоги диапазонами, первый, последний или только их число"),
        new("ESORT", "RFC 5267", "the same of SORT", "то же для SORT"),
        new("FILTERS", "RFC 5466", "searches that have a name", "поиски с именем"),
        new("I18NLEVEL=1", "RFC 5255", "letters of all alphabets are compared without case", "буквы всех алфавитов сравниваются без регистра"),
        new("ID", "RFC 2971", "the program and the server say their names", "программа и сервер называют себя"),
        new("IDLE", "RFC 2177", "new mail is announced at once", "о новой почте сообщается сразу"),
        new("INPROGRESS", "RFC 9585", "long commands tell how far they are", "долгие команды говорят, сколько сделано"),
        new("LANGUAGE", "RFC 5255", "sentences in Russian or English", "фразы на русском или английском"),
        new("LIST-EXTENDED", "RFC 5258", "several patterns, subscriptions and children in one list", "несколько шаблонов, подписки и вложенные папки в одном списке"),
        new("LIST-METADATA", "RFC 9590", "annotations come with the list", "аннотации вместе со списком"),
        new("LIST-MYRIGHTS", "RFC 8440", "one's rights come with the list", "свои права вместе со списком"),
        new("LIST-STATUS", "RFC 5819", "counts come with the list", "счётчики вместе со списком"),
        new("LITERAL+", "RFC 7888", "data are sent without waiting for leave", "данные шлются, не дожидаясь разрешения"),
        new("METADATA", "RFC 5464", "annotations of mailboxes and of the server", "аннотации папок и сервера"),
        new("MOVE", "RFC 6851", "messages are moved in one step", "письма переносятся одним действием"),
        new("MULTIAPPEND", "RFC 3502", "many messages are stored by one command, all or none", "много писем сохраняются одной командой, все или ни одного"),
        new("MULTISEARCH", "RFC 7377", "a search in many mailboxes", "поиск во многих папках"),
        new("NAMESPACE", "RFC 2342", "where one's own, others' and public mailboxes are", "где свои, чужие и общие папки"),
        new("NOTIFY", "RFC 5465", "changes in all mailboxes are told on one connection", "об изменениях во всех папках сообщается по одному соединению"),
        new("OBJECTID", "RFC 8474", "lasting names of mailboxes, messages and conversations", "постоянные имена папок, писем и переписок"),
        new("PARTIAL", "RFC 9394", "results are given page by page", "итоги отдаются страницами"),
        new("PREVIEW", "RFC 8970", "the first words of a message for the list", "первые слова письма для списка"),
        new("QRESYNC", "RFC 7162", "after a pause one command tells all that has changed", "после перерыва одна команда сообщает всё, что изменилось"),
        new("QUOTA", "RFC 9208", "how much room there is and is used", "сколько места есть и занято"),
        new("QUOTA=RES-STORAGE", "RFC 9208", "the quota counts octets", "квота считает октеты"),
        new("QUOTASET", "RFC 9208", "who may, sets quotas", "кто вправе, назначает квоты"),
        new("REPLACE", "RFC 8508", "a draft takes the place of its last version in one step", "черновик заменяет прежний одним действием"),
        new("SASL-IR", "RFC 4959", "signing in takes a round trip less", "вход на один обмен короче"),
        new("SAVEDATE", "RFC 8514", "when a message came into this mailbox", "когда письмо попало в эту папку"),
        new("SEARCH=FUZZY", "RFC 6203", "word forms are found too, the best first", "находятся и формы слов, лучшие первыми"),
        new("SEARCHRES", "RFC 5182", "`$` stands for what the last search found", "`$` означает найденное последним поиском"),
        new("SORT", "RFC 5256", "the server sorts", "сортирует сервер"),
        new("SORT=DISPLAY", "RFC 5957", "sorting by the names that people see", "сортировка по именам, которые видят люди"),
        new("SPECIAL-USE", "RFC 6154", "which mailbox is Sent, Trash, Junk and so on", "какая папка — «Отправленные», «Корзина», «Спам» и так далее"),
        new("STARTTLS", "RFC 9051", "a plain connection is secured", "открытое соединение защищается"),
        new("STATUS=SIZE", "RFC 8438", "the size of a mailbox", "размер папки"),
        new("THREAD=ORDEREDSUBJECT", "RFC 5256", "conversations by subject", "переписки по теме"),
        new("THREAD=REFERENCES", "RFC 5256", "conversations by who answers whom", "переписки по тому, кто кому отвечает"),
        new("THREAD=REFS", "draft-ietf-morg-inthread", "the same, the latest conversation last", "то же, последняя переписка в конце"),
        new("UIDONLY", "RFC 9586", "no sequence numbers: less memory for large mailboxes", "без порядковых номеров: меньше памяти на большие папки"),
        new("UIDPLUS", "RFC 4315", "a program learns the UIDs of what it has stored", "программа узнаёт UID сохранённого"),
        new("UNAUTHENTICATE", "RFC 8437", "another person signs in on the same connection", "по тому же соединению входит другой"),
        new("UNSELECT", "RFC 3691", "a mailbox is left without removing anything", "папка закрывается без удалений"),
        new("URL-PARTIAL", "RFC 5550", "CATENATE takes a piece of a part", "CATENATE берёт кусок части"),
        new("UTF8=ACCEPT", "RFC 6855", "names and headers in UTF-8", "имена и заголовки в UTF-8"),
        new("WITHIN", "RFC 5032", "a search by age", "поиск по возрасту"),
    ];

    /// <summary>The page of a language, and the announced capabilities of which nothing is known here, or the other way about.</summary>
    public static (string Page, IReadOnlyList<string> Gaps) Write(bool russian)
    {
        var rows = ImapCommands.Rows.SelectMany(row => (row.Capability?.Split(' ') ?? []).Select(capability => (Name: Plain(capability), Command: row.Name))).ToLookup(pair => pair.Name, pair => pair.Command);
        var announced = ImapCommands.General.Concat(rows.Select(row => row.Key)).Concat(["SASL-IR", "STARTTLS"]).Distinct().Order(StringComparer.Ordinal).ToList();
        var page = new StringBuilder(russian
            ? "# Расширения IMAP\n\nЧто сервер объявляет в ответ на CAPABILITY. Страница сделана из таблицы команд в `src/Server/Imap/ImapCommands.cs`; у каждого расширения есть диалог в `tests/Transcripts/imap`, который читается как описание. Способы входа (`AUTH=`) — на странице [о входе](sign-in.md), решения администратора — на странице [IMAP](imap.md).\n\n| Объявлено | Описано в | Команды | Зачем |\n| --- | --- | --- | --- |\n"
            : "# IMAP extensions\n\nWhat the server announces in answer to CAPABILITY. The page is made from the table of commands in `src/Server/Imap/ImapCommands.cs`; each extension has a dialogue in `tests/Transcripts/imap` that reads like a specification. Ways to sign in (`AUTH=`) are on the page about [signing in](sign-in.md), what an administrator decides on the page about [IMAP](imap.md).\n\n| Announced | Specified by | Commands | What for |\n| --- | --- | --- | --- |\n");
        foreach (var name in announced)
            if (Array.Find(known, one => one.Name == name) is { } extension)
                page.Append($"| `{name}` | {extension.Source} | {string.Join(", ", rows[name].Distinct())} | {(russian ? extension.Russian : extension.English)} |\n");
        var names = known.Select(one => one.Name).ToList();
        return (page.ToString(), [.. announced.Except(names).Select(name => $"{name} is announced; tests/House/ImapExtensions.cs does not know what it is for"),
            .. names.Except(announced).Select(name => $"{name} stands in tests/House/ImapExtensions.cs and is not announced")]);
    }

    private static string Plain(string capability) => capability.StartsWith("RIGHTS=", StringComparison.Ordinal) ? "RIGHTS=" : capability;
}
