using System.Globalization;
using CbaMail.Config;

namespace CbaMail.Pop3;

/// <summary>What people read, in each of the languages (RFC 6856 3). The English one is ASCII.</summary>
internal readonly record struct Phrase(string English, string Russian)
{
    /// <summary>The same in every language.</summary>
    public static Phrase Plain(string text) => new(text, text);

    public string In(MailLanguage language) => language == MailLanguage.Ru ? Russian : English;
}

/// <summary>All sentences of the room.</summary>
internal static class Phrases
{
    public static readonly Phrase
        Goodbye = new("Goodbye", "До свидания"),
        Understood = new("Go on", "Продолжайте"),
        SayPassword = new("Now the password, by PASS", "Теперь пароль: команда PASS"),
        NameFirst = new("Say USER first", "Сначала команда USER"),
        NameMissing = new("Say USER and a name", "После USER нужно имя"),
        BadUtf8 = new("This is not UTF-8", "Это не UTF-8"),
        SignInFirst = new("Sign in first", "Сначала войдите"),
        SignedInAlready = new("You have signed in already", "Вы уже вошли"),
        StartTlsFirst = new("Start TLS first: a password in clear text is not taken", "Сначала включите TLS (STLS): пароль открытым текстом не принимается"),
        TlsNow = new("Begin TLS now", "Начинайте TLS"),
        TlsAlready = new("TLS has begun already", "TLS уже включён"),
        TlsAfterUtf8 = new("STLS comes before UTF8", "STLS нужно сказать до UTF8"),
        NoApop = new("APOP is not offered: passwords are kept as hashes; use AUTH or STLS", "APOP не предлагается: пароли хранятся хешами; используйте AUTH или STLS"),
        WrongPassword = new("The name or the password is wrong", "Имя или пароль неверны"),
        TooManyFailures = new("Too many failed sign-ins from this address; try again later", "Слишком много неудачных попыток входа с этого адреса; попробуйте позже"),
        TooManyHere = new("Too many failed sign-ins; goodbye", "Слишком много неудачных попыток входа; до свидания"),
        InUse = new("Another session has this maildrop open", "Этот ящик открыт в другом сеансе"),
        NoInbox = new("The account has no INBOX", "У этой учётной записи нет INBOX"),
        NoMechanism = new("This mechanism is not offered", "Этот способ входа не предлагается"),
        Cancelled = new("Cancelled as you wished", "Отменено по вашей просьбе"),
        Malformed = new("The response is not what this mechanism sends", "Ответ не такой, какой положен при этом способе входа"),
        Mechanisms = new("Mechanisms follow", "Способы входа:"),
        Capabilities = new("Capabilities follow", "Возможности:"),
        Languages = new("Languages follow", "Языки:"),
        NoLanguage = new("There is no such language here", "Такого языка здесь нет"),
        LanguageChanged = new("Answers are in English from now on", "Теперь ответы по-русски"),
        Utf8On = new("UTF-8 is on", "UTF-8 включён"),
        NoCommand = new("There is no such command", "Такой команды нет"),
        NoArgument = new("This command takes no argument", "У этой команды нет аргументов"),
        NumberNeeded = new("A message number is needed", "Нужен номер сообщения"),
        TopNeeds = new("Say TOP, a message number and a number of lines", "После TOP нужны номер сообщения и число строк"),
        NoMessage = new("No such message", "Такого сообщения нет"),
        IsDeleted = new("This message is marked as deleted", "Это сообщение помечено на удаление"),
        Gone = new("This message has been removed by another program", "Это сообщение удалено другой программой"),
        Damaged = new("This message cannot be read; it has been noted", "Это сообщение не читается; это записано в журнал"),
        MarkedDeleted = new("Marked as deleted", "Помечено на удаление"),
        TopFollows = new("The top follows", "Начало сообщения:"),
        NotAllDeleted = new("Some deleted messages could not be removed; try again later", "Часть удалённых сообщений убрать не удалось; попробуйте позже"),
        TooLong = new("The line is too long", "Строка слишком длинная"),
        BadLineEnd = new("Lines end with CR and LF, and neither stands alone", "Строки кончаются на CR и LF, по отдельности их не бывает"),
        BadCharacters = new("The line holds characters that no command has", "В строке символы, которых в командах не бывает"),
        TooManyBad = new("Too many commands that cannot be understood; goodbye", "Слишком много непонятных команд; до свидания"),
        Stopping = new("The server stops; try again later", "Сервер останавливается; попробуйте позже"),
        Surprise = new("This went wrong on our side; it has been noted", "Это ошибка на нашей стороне; она записана в журнал");

    public static Phrase TooEarly(TimeSpan left) => Format(
        $"Wait {Math.Ceiling(left.TotalSeconds)} seconds before you sign in again", $"Подождите {Math.Ceiling(left.TotalSeconds)} с до следующего входа");

    public static Phrase Welcome(int messages, long octets) => Format($"{messages} messages ({octets} octets)", $"Сообщений: {messages} (октетов: {octets})");

    public static Phrase ScanList(int messages, long octets) => Format($"{messages} messages ({octets} octets)", $"Сообщений: {messages} (октетов: {octets})");

    public static Phrase UniqueIds(int messages) => Format($"{messages} unique ids", $"Уникальных номеров: {messages}");

    public static Phrase Octets(long octets) => Format($"{octets} octets", $"{octets} октетов");

    public static Phrase OnlyNumbersTo(int messages) => Format($"No such message, only {messages} are here", $"Такого сообщения нет, здесь их {messages}");

    static Phrase Format(FormattableString english, FormattableString russian) => new(english.ToString(CultureInfo.InvariantCulture), russian.ToString(CultureInfo.InvariantCulture));
}
