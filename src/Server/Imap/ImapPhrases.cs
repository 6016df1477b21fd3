using System.Collections.Frozen;
using CbaMail.Config;

namespace CbaMail.Imap;

/// <summary>
/// What people read, in Russian (RFC 5255 3). The English sentence stands where it is said; what has no Russian of its own has that of its
/// response code. What a BAD says is for whoever writes a client, and stays English behind a Russian word.
/// </summary>
internal static class ImapPhrases
{
    // "*" stands for what is put in, and stays as it is
    static readonly (string English, string Russian)[] All =
    [
        ("* completed", "*: выполнено"),
        ("Signed in", "Вы вошли"),
        ("Good bye", "До свидания"),
        ("Begin TLS now", "Начинайте TLS"),
        ("DEFLATE active", "Сжатие DEFLATE включено"),
        ("Moved", "Перемещено"),
        ("There was nothing to move", "Перемещать нечего"),
        ("There was nothing to copy", "Копировать нечего"),
        ("Some have been changed by others", "Часть писем уже изменена другими"),
        ("CONDSTORE is on", "CONDSTORE включён"),
        ("The mailbox before is closed", "Прежняя папка закрыта"),
        ("The selected mailbox is being deleted", "Открытая папка удаляется"),
        ("Your rights have changed", "Ваши права изменились"),
        ("These have become more mailboxes than can be watched", "Папок стало больше, чем можно отслеживать"),

        ("The name or the password is wrong", "Имя или пароль неверны"),
        ("Too many failed sign-ins from this address; try again later", "Слишком много неудачных попыток входа с этого адреса; попробуйте позже"),
        ("Too many are signing in; try again later", "Сейчас входит слишком много людей; попробуйте позже"),
        ("Too many failed sign-ins", "Слишком много неудачных попыток входа"),
        ("Start TLS first: a password in clear text is not taken", "Сначала включите TLS: пароль открытым текстом не принимается"),
        ("This mechanism is not offered", "Этот способ входа не предлагается"),
        ("This account may not use *; ask its administrator", "Этой учётной записи нельзя пользоваться *; обратитесь к администратору"),
        ("Channel binding is offered here, and the client was told otherwise: is somebody between?", "Сервер предлагает привязку к каналу, а программе сказали иное: нет ли кого посередине?"),

        ("No such mailbox", "Такой папки нет"),
        ("No such mailbox; create it first", "Такой папки нет; сначала создайте её"),
        ("No such quota root", "Такого корня квоты нет"),
        ("The access control list of the mailbox does not allow it; ask its owner", "Список доступа к папке этого не позволяет; обратитесь к её владельцу"),
        ("You may not make mailboxes there", "Там вам нельзя создавать папки"),
        ("You may not read the selected mailbox any more", "Вам больше нельзя читать открытую папку"),
        ("The selected mailbox has been deleted", "Открытую папку удалили"),
        ("The mailbox has just been deleted", "Эту папку только что удалили"),
        ("The mailbox is open for reading only", "Папка открыта только для чтения"),
        ("These messages have been expunged", "Этих писем больше нет"),
        ("Some of the messages have been expunged", "Часть писем только что удалена"),
        ("Some of the messages have been deleted meanwhile", "Часть писем тем временем удалена"),
        ("INBOX cannot be deleted", "INBOX удалить нельзя"),
        ("A mailbox cannot go below itself", "Папку нельзя поместить в неё саму"),
        ("A mailbox cannot be moved below itself", "Папку нельзя поместить в неё саму"),
        ("A mailbox stays with its owner; copy the messages instead", "Папка остаётся у своего владельца; скопируйте письма"),
        ("A mailbox of this name exists already", "Папка с таким именем уже есть"),
        ("A mailbox of the new name exists already", "Папка с новым именем уже есть"),
        ("A mailbox named * exists already", "Папка с именем * уже есть"),
        ("Another mailbox is * already", "Другая папка уже служит как *"),
        ("A mailbox needs a name", "Папке нужно имя"),
        ("The name is too long", "Имя слишком длинное"),
        ("A level of the name is empty", "В имени есть пустой уровень"),
        ("The name has too many levels", "В имени слишком много уровней"),
        ("The name has a character that mailbox names cannot have: an asterisk, a percent sign, a control, or & alone (it is written &-)", "В имени есть знак, которого в именах папок быть не может: звёздочка, процент, управляющий или одиночный & (он пишется &-)"),
        ("* is not a use that a mailbox can have here", "Назначения * у папок здесь не бывает"),
        ("A mailbox has one use here, not several", "У папки здесь одно назначение, не несколько"),
        ("This is not a use that a mailbox can have here", "Такого назначения у папок здесь не бывает"),
        ("The account has * mailboxes already", "У этой учётной записи уже * папок"),
        ("The mailbox is full", "Почтовый ящик полон"),
        ("The message is larger than this server accepts", "Письмо больше, чем принимает этот сервер"),
        ("An empty message is not kept", "Пустое письмо не сохраняется"),
        ("The message holds NUL octets, which mail cannot have", "В письме есть нулевые байты, в почте их не бывает"),
        ("These are more keywords than a message can have", "Столько меток у письма быть не может"),
        ("A part has a transfer encoding that cannot be taken off", "Кодировку части письма нельзя снять"),
        ("The message has just been expunged", "Это письмо только что удалено"),
        ("There is no message of that UID", "Письма с таким UID нет"),
        ("There is no such message or part", "Такого письма или такой части нет"),
        ("The message holds NUL octets, which only a literal8 can have", "В письме есть нулевые байты, им место только в literal8"),
        ("This message is damaged on the server", "Это письмо на сервере повреждено"),
        ("The message holds NUL octets where no transfer encoding can be given to them", "В письме есть нулевые байты там, где кодировку им дать нельзя"),
        ("At most * messages at a time", "Не больше * писем за раз"),
        ("The messages of one command are together larger than * bytes", "Письма одной команды вместе больше * байт"),
        ("The replacement is there", "Новое письмо на месте"),
        ("The rest of the command cannot be told from the next one", "Конец команды не отличить от следующей"),
        ("Header fields in UTF-8 need ENABLE UTF8=ACCEPT", "Для полей заголовка в UTF-8 нужно ENABLE UTF8=ACCEPT"),
        ("There is no filter of that name", "Отбора с таким именем нет"),
        ("This cannot be the name of a filter", "Так отбор назвать нельзя"),
        ("Only an administrator sets quotas", "Квоты устанавливает только администратор"),
        ("Only administrators say what everybody sees of the server", "То, что о сервере видят все, пишут только администраторы"),
        ("This entry is the server's own", "Эту запись ведёт сам сервер"),
        ("The value is too long", "Значение слишком длинное"),
        ("* cannot be limited here", "* здесь ограничить нельзя"),
        ("The pattern is too long", "Образец слишком длинный"),
        ("Some of these events are not told here", "О некоторых из этих событий здесь не сообщается"),
        ("These are more mailboxes than can be watched", "Столько папок отслеживать нельзя"),
        ("This character set is not known here", "Эта кодировка здесь неизвестна"),
        ("No such language is spoken here; LANGUAGE alone lists those that are", "Такого языка здесь нет; LANGUAGE без языка перечисляет все"),
        ("The filter is not a search: *", "Этот отбор не является поиском: *"),
        ("No further updates", "Больше не следим"),
        ("Nobody signs in as anonymous here", "Под именем anonymous сюда не входят"),
        ("The body of * is damaged on the server; its administrator can mend it with cbamail verify --repair", "Тело * на сервере повреждено; администратор может исправить его командой cbamail verify --repair"),

        ("Nothing was said for too long", "Слишком долго ничего не было сказано"),
        ("The server stops", "Сервер останавливается"),
        ("This is more than will be read", "Столько сервер не читает"),
        ("This is not compressed by DEFLATE", "Это не сжато способом DEFLATE"),
        ("Too many commands that cannot be understood", "Слишком много непонятных команд"),
        ("This went wrong on our side; it has been noted", "Это ошибка на нашей стороне; она записана в журнал"),
        ("The server cannot do this now; try again later", "Сервер сейчас этого не может; попробуйте позже"),
        ("No space is left on the server; try again later", "На сервере не осталось места; попробуйте позже"),
        ("The server has too many files and connections open; try again later", "На сервере открыто слишком много файлов и соединений; попробуйте позже"),
        ("The server is short of memory; try again later", "Серверу не хватает памяти; попробуйте позже"),
        ("The server's disk cannot be written to now; try again later", "На диск сервера сейчас нельзя писать; попробуйте позже"),
        ("Sign in first", "Сначала войдите"),
        ("You have signed in already", "Вы уже вошли"),
        ("Select a mailbox first", "Сначала откройте папку"),
        ("There is no such command", "Такой команды нет"),
        ("Cancelled as you wished", "Отменено по вашей просьбе"),
    ];

    // RFC 5530 3, RFC 9051 7.1
    static readonly FrozenDictionary<string, string> ByCode = new Dictionary<string, string>
    {
        ["ALREADYEXISTS"] = "Такое имя уже занято",
        ["AUTHENTICATIONFAILED"] = "Войти не удалось",
        ["AUTHORIZATIONFAILED"] = "Этой учётной записи сюда нельзя",
        ["CANNOT"] = "Это невозможно",
        ["EXPUNGEISSUED"] = "Часть писем только что удалена",
        ["INUSE"] = "Сейчас это занято; попробуйте позже",
        ["LIMIT"] = "Это больше, чем разрешено",
        ["NONEXISTENT"] = "Этого здесь нет",
        ["NOPERM"] = "На это нет прав",
        ["OVERQUOTA"] = "Почтовый ящик полон",
        ["SERVERBUG"] = "Это ошибка на нашей стороне; она записана в журнал",
        ["TOOBIG"] = "Это слишком велико",
        ["TRYCREATE"] = "Такой папки нет; сначала создайте её",
        ["UNAVAILABLE"] = "Сервер сейчас этого не может; попробуйте позже",
    }.ToFrozenDictionary();

    static readonly FrozenDictionary<string, string> Whole = All.Where(pair => !pair.English.Contains('*', StringComparison.Ordinal)).ToFrozenDictionary(pair => pair.English, pair => pair.Russian);
    static readonly (string Before, string After, string Russian)[] Patterns =
        [.. All.Where(pair => pair.English.Contains('*', StringComparison.Ordinal)).Select(pair => (pair.English.Split('*')[0], pair.English.Split('*')[1], pair.Russian))];

    public static string In(MailLanguage language, string sentence) => language == MailLanguage.En ? sentence : Russian(sentence) ?? sentence;

    public static string In(MailLanguage language, in Outcome outcome)
    {
        var sentence = outcome.Text ?? "";
        if (language == MailLanguage.En) return sentence;
        if (Russian(sentence) is { } russian) return russian;
        if (outcome.Kind == OutcomeKind.Bad) return "Команда не понята: " + sentence;
        return outcome.Kind == OutcomeKind.No && outcome.Code?.Split(' ')[0] is { } code && ByCode.TryGetValue(code, out var general) ? general : sentence;
    }

    /// <summary>Null: it has none of its own.</summary>
    internal static string? Russian(string sentence)
    {
        if (Whole.TryGetValue(sentence, out var whole)) return whole;
        foreach (var (before, after, russian) in Patterns)
            if (sentence.Length > before.Length + after.Length && sentence.StartsWith(before, StringComparison.Ordinal) && sentence.EndsWith(after, StringComparison.Ordinal))
                return russian.Replace("*", sentence[before.Length..^after.Length], StringComparison.Ordinal);
        return null;
    }

    /// <summary>What the prefix of a namespace is called, where it is the one of this release; else null: the administrator has named it.</summary>
    public static string? Namespace(string prefix) => prefix switch { "Other Users" => "Другие пользователи", "Public" => "Общие папки", _ => null };
}
