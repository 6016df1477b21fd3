using System.Globalization;
using System.Text;
using CbaMail.Envelope;

namespace CbaMail.Delivery;

/// <summary>What notices say to people, in Russian and in English: what happened, to whom, why, and what to do.</summary>
static class BounceText
{
    public static string Subject(NoticeKind kind) => kind switch
    {
        NoticeKind.Failed => "Письмо не доставлено / Undelivered mail",
        NoticeKind.Delayed => "Доставка письма задерживается / Delayed mail",
        NoticeKind.Delivered => "Письмо доставлено / Mail delivered",
        _ => "Письмо передано / Mail relayed",
    };

    static (string Russian, string English) Opening(Notice notice) => notice.Kind switch
    {
        NoticeKind.Failed => (
            "Ваше письмо не удалось доставить следующим получателям. Повторных попыток не будет.",
            "Your message could not be delivered to the following recipients. It will not be tried again."),
        NoticeKind.Delivered => (
            "Ваше письмо доставлено в почтовые ящики следующих получателей.",
            "Your message was delivered to the mailboxes of the following recipients."),
        NoticeKind.Delayed => (
            $"Ваше письмо пока не удалось доставить следующим получателям. Делать ничего не нужно: попытки продолжатся до {notice.Message.Expires:yyyy-MM-dd HH:mm zzz}.",
            $"Your message could not yet be delivered to the following recipients. You need not do anything: it will be tried until {notice.Message.Expires:yyyy-MM-dd HH:mm zzz}."),
        // RFC 2852 4.1.4: not the last word
        _ when notice.Message.By is not null => (
            $"Ваше письмо передано серверам следующих получателей. Вы просили {(notice.Message.By.Trace ? "сообщать о каждой передаче" : $"доставить его до {notice.Message.By.Deadline:yyyy-MM-dd HH:mm zzz}, а эти серверы о сроках не знают")}.",
            $"Your message was handed to the servers of the following recipients. You asked {(notice.Message.By.Trace ? "to hear of each server that passes it on" : $"to have it delivered by {notice.Message.By.Deadline:yyyy-MM-dd HH:mm zzz}, and these servers do not know of deadlines")}."),
        _ => (
            "Ваше письмо передано серверам следующих получателей. Эти серверы не сообщают о доставке, поэтому других уведомлений не будет.",
            "Your message was handed to the servers of the following recipients. Those servers do not report on delivery, so this is the last notice."),
    };

    /// <summary>What the sender may do about it.</summary>
    static (string Russian, string English) Advice(BounceVerdict verdict) => verdict switch
    {
        { Cause: BounceCause.Dead, OfDomain: true } => (
            "Такого домена нет, или он не принимает почту. Проверьте, нет ли опечатки после знака @.",
            "There is no such domain, or it takes no mail. Look for a typing error behind the @."),
        { Cause: BounceCause.Dead } => (
            "Такого адреса нет, или он больше не принимает почту. Проверьте, нет ли опечатки, и уточните адрес у получателя.",
            "There is no such address, or it takes no mail any more. Look for a typing error, and ask the recipient for the address."),
        { Cause: BounceCause.Full } => (
            "Почтовый ящик получателя переполнен. Сообщите ему об этом другим путём и отправьте письмо позже.",
            "The recipient's mailbox is full. Tell him so in another way, and send the message again later."),
        { Cause: BounceCause.Policy } => (
            "Сервер получателя не принимает почту от нашего сервера или от вас. Покажите это письмо администратору почты; менять текст не поможет.",
            "The recipient's server does not take mail from our server or from you. Show this notice to your mail administrator; another text would not help."),
        { Cause: BounceCause.Content } => (
            "Серверу получателя не подошло само письмо: размер, вложение или содержание. Отправьте его короче, без вложения или со ссылкой на файл.",
            "The recipient's server did not want this message: its size, an attachment or its text. Send it shorter, without the attachment, or with a link to the file."),
        { Cause: BounceCause.Temporary } => (
            "Сервер получателя был недоступен или занят всё это время. Отправьте письмо ещё раз позже.",
            "The recipient's server could not be reached or was busy all the time. Send the message again later."),
        _ => (
            "Причину называет ответ сервера. Если он вам непонятен, покажите это письмо администратору почты.",
            "The server's reply names the reason. If it tells you nothing, show this notice to your mail administrator."),
    };

    public static string Of(Notice notice)
    {
        var (russian, english) = Opening(notice);
        var text = new StringBuilder();
        foreach (var inRussian in (ReadOnlySpan<bool>)[true, false])
        {
            text.Append(inRussian ? russian : english).Append("\r\n\r\n");
            foreach (var outcome in notice.Outcomes)
            {
                text.Append("  ").Append(outcome.Recipient.Address).Append("\r\n");
                if (notice.Kind == NoticeKind.Failed) text.Append("    ").Append(inRussian ? Advice(outcome.Verdict).Russian : Advice(outcome.Verdict).English).Append("\r\n");
                text.Append("    ").Append(inRussian ? "Ответ" : "Reply").Append(": ").Append(outcome.Reply);
                if (outcome.Host.Length > 0) text.Append(" (").Append(outcome.Host).Append(')');
                text.Append("\r\n");
            }
            text.Append("\r\n");
        }
        text.Append("-- \r\n").Append(notice.Hostname);
        if (notice.Message.Id != 0) text.Append(CultureInfo.InvariantCulture, $", {notice.Message.Id}");
        return text.Append("\r\n").ToString();
    }
}
