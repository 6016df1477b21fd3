using CbaMail.Courses;
using CbaMail.Mailings;
using Xunit;

namespace CbaMail.Tests.Server.Mailings;

public class TemplateTests
{
    static readonly Course Course = new(1, "basics", "Основы & \"практика\"", "example.test", "ru", ["group", "exam date", "seat"], 1, default);

    static string Render(string template, TemplateKind kind = TemplateKind.Text, string fields = """{"group":"Б-1 <a>","exam date":"5 мая","seat":"","place":"5"}""", List<MissingField>? missing = null)
    {
        var parsed = Template.Parse(template, kind, out var error);
        Assert.Null(error);
        return parsed!.Render(MergeData.Of("anna@example.test", "Иванова Анна Сергеевна", fields, MergeData.Shared(Course, "Учебный центр", "school@example.test")), missing);
    }

    [Theory]
    [InlineData("Здравствуйте, {{firstName}}!", "Здравствуйте, Анна!")]
    [InlineData("{{ name }} <{{address}}>", "Иванова Анна Сергеевна <anna@example.test>")]
    [InlineData("{{firstName}} {{patronymic}} {{lastName}}", "Анна Сергеевна Иванова")]
    [InlineData("{{[exam date]}}", "5 мая")]
    [InlineData("{{GROUP}}", "Б-1 <a>")]
    [InlineData("{{course.name}} {{course.id}} {{from.name}}", "Основы & \"практика\" basics Учебный центр")]
    [InlineData("{{default seat \"без места\"}}", "без места")]
    [InlineData("{{default seat group}}", "Б-1 <a>")]
    [InlineData("{{#if seat}}место {{seat}}{{else}}места нет{{/if}}", "места нет")]
    [InlineData("{{#if seat}}1{{else if group}}2{{else}}3{{/if}}", "2")]
    [InlineData("{{#unless seat}}нет{{/unless}}", "нет")]
    [InlineData("{{#if (eq group \"б-1 <a>\")}}да{{/if}}", "да")]
    [InlineData("{{#if (and group (not seat))}}да{{^}}нет{{/if}}", "да")]
    [InlineData("{{upper (default seat \"нет\")}}", "НЕТ")]
    [InlineData("{{plural place \"день\" \"дня\" \"дней\"}}", "5 дней")]
    [InlineData("a {{! не видно }}b{{!-- и {{это}} --}}", "a b")]
    [InlineData("\\{{name}} и {{{group}}}", "{{name}} и Б-1 <a>")]
    [InlineData("a  {{~group~}}  b", "aБ-1 <a>b")]
    [InlineData("one\n{{#if group}}\ntwo\n{{/if}}\nthree\n", "one\ntwo\nthree\n")]
    [InlineData("one\n  {{! alone }}  \nthree", "one\nthree")]
    [InlineData("body { color: red } } }}", "body { color: red } } }}")]
    public void Says_what_handlebars_says(string template, string expected) => Assert.Equal(expected, Render(template));

    [Fact]
    public void Html_escapes_values_and_text_does_not()
    {
        Assert.Equal("Б-1 &lt;a&gt;", Render("{{group}}", TemplateKind.Html));
        Assert.Equal("Б-1 <a>", Render("{{{group}}}{{! raw }}", TemplateKind.Html));
        Assert.Equal("Б-1 <a>", Render("{{&group}}", TemplateKind.Html));
        Assert.Equal("x&quot; onclick=&quot;y&#39;", Render("{{group}}", TemplateKind.Html, """{"group":"x\" onclick=\"y'"}"""));
    }

    [Theory]
    [InlineData("{{name", 1, 1, "never closed")]
    [InlineData("a\nb {{#if name}}\nc", 2, 3, "{{/if}}")]
    [InlineData("a\n\n  {{/if}}", 3, 3, "closes nothing")]
    [InlineData("{{#if a}}x{{/unless}}", 1, 11, "{{/if}} is needed")]
    [InlineData("{{}}", 1, 1, "empty")]
    [InlineData("ж {{{name}} ", 1, 3, "three braces")]
    [InlineData("{{#each people}}{{/each}}", 1, 1, "not supported")]
    [InlineData("{{#loop x}}", 1, 1, "no block")]
    [InlineData("{{shout name}}", 1, 3, "no helper 'shout'")]
    [InlineData("{{default name}}", 1, 3, "{{default field \"instead\"}}")]
    [InlineData("{{default name \"x}}", 1, 16, "quoted text")]
    [InlineData("{{else}}", 1, 1, "outside")]
    [InlineData("{{#if a}}b{{else}}c{{else}}d{{/if}}", 1, 20, "already")]
    [InlineData("{{#if}}b{{/if}}", 1, 1, "missing")]
    [InlineData("{{> footer}}", 1, 1, "partials")]
    [InlineData("{{a+b}}", 1, 3, "no merge field")]
    [InlineData("{{#if (eq a \"b\"}}{{/if}}", 1, 7, "never closed")]
    [InlineData("Hello {{ {{name}} }}", 1, 7, "never closed")]
    public void A_mistake_is_named_with_line_and_column(string template, int line, int column, string words)
    {
        Assert.Null(Template.Parse(template, TemplateKind.Html, out var error));
        Assert.Equal((line, column), (error!.Line, error.Column));
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Empty_and_unknown_fields_are_told_with_their_place()
    {
        var missing = new List<MissingField>();
        Render("{{group}}\n {{seat}} {{default seat \"x\"}} {{#if seat}}{{seat}}{{/if}} {{grup}} {{upper seat}}", missing: missing);
        Assert.Equal([new("seat", true, 2, 4), new("grup", false, 2, 62), new("seat", true, 2, 77)], missing);
    }

    [Theory]
    [InlineData("grup", "group")]
    [InlineData("exam_date", "exam date")]
    [InlineData("firstname", "firstName")]
    [InlineData("fistName", "firstName")]
    [InlineData("груп", "group")]
    [InlineData("банан", null)]
    public void A_similar_name_is_suggested(string wrong, string? meant) => Assert.Equal(meant, MergeData.Similar(wrong, [.. Course.Columns, .. MergeData.Always]));

    [Fact]
    public void Any_text_is_read_without_a_throw_and_in_linear_time()
    {
        var random = new Random(3);
        string[] pieces = ["{{", "}}", "{{{", "}}}", "#if ", "/if", "else", "a", " ", "\n", "\"", "(", ")", "[", "]", "!", "!--", "--", "~", "\\", "default ", "eq ", "ж"];
        for (var round = 0; round < 5000; round++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(40)).Select(_ => pieces[random.Next(pieces.Length)]));
            var template = Template.Parse(text, TemplateKind.Html, out var error);
            Assert.True(template is null ^ error is null);
            template?.Render(MergeData.Of("a@b.test", "", "{}", new Dictionary<string, string>()));
        }
        Template.Parse(string.Concat(Enumerable.Repeat("{{#if a}}", 10_000)), TemplateKind.Html, out var deep);
        Assert.Contains("inside each other", deep!.Message, StringComparison.Ordinal);
        Assert.NotNull(Template.Parse(string.Concat(Enumerable.Repeat("text {{a}} \"\n", 100_000)), TemplateKind.Html, out _));
    }
}

public class PersonNameTests
{
    [Theory]
    [InlineData("Иванова Анна Сергеевна", "Анна", "Сергеевна", "Иванова")]
    [InlineData("Иван Иванович Петров", "Иван", "Иванович", "Петров")]
    [InlineData("Пётр Ильич", "Пётр", "Ильич", "")]
    [InlineData("Иванов Иван", "Иван", "", "Иванов")]
    [InlineData("Иван Иванов", "Иван", "", "Иванов")]
    [InlineData("Марина Ильина", "Марина", "", "Ильина")]
    [InlineData("Ильина Марина", "Марина", "", "Ильина")]
    [InlineData("Римский-Корсаков Николай Андреевич", "Николай", "Андреевич", "Римский-Корсаков")]
    [InlineData("Алиев Али Ахмед оглы", "Али", "Ахмед оглы", "Алиев")]
    [InlineData("Анна", "Анна", "", "")]
    [InlineData("John Smith", "John", "", "Smith")]
    [InlineData("Smith, John", "John", "", "Smith")]
    [InlineData("Dr. Mary Ann Jones", "Mary", "", "Ann Jones")]
    [InlineData("Петрович Анна", "Анна", "", "Петрович")]
    [InlineData("", "", "", "")]
    public void Takes_a_name_apart(string name, string first, string patronymic, string last) =>
        Assert.Equal(new PersonName(first, patronymic, last), PersonName.Parse(name));

    [Theory]
    [InlineData("Основы программирования", "osnovy-programmirovaniia")]
    [InlineData("Щука & Ёж: 2-я часть", "shchuka-ezh-2-ia-chast")]
    [InlineData("  C# for Beginners! ", "c-for-beginners")]
    [InlineData("Élève à Paris", "eleve-a-paris")]
    [InlineData("日本語", "")]
    public void Slugs_are_ascii(string name, string slug) => Assert.Equal(slug, Transliteration.Slug(name));

    [Theory]
    [InlineData("Иван", "Иванович", "Ивановна")]
    [InlineData("Сергей", "Сергеевич", "Сергеевна")]
    [InlineData("Василий", "Васильевич", "Васильевна")]
    [InlineData("Дмитрий", "Дмитриевич", "Дмитриевна")]
    [InlineData("Игорь", "Игоревич", "Игоревна")]
    [InlineData("Илья", "Ильич", "Ильинична")]
    [InlineData("Пётр", "Петрович", "Петровна")]
    [InlineData("Лев", "Львович", "Львовна")]
    public void Patronymics_follow_the_father(string father, string son, string daughter) =>
        Assert.Equal((son, daughter), (RussianNames.Patronymic(father, false), RussianNames.Patronymic(father, true)));

    [Theory]
    [InlineData("Иванов", "Иванова")]
    [InlineData("Ильин", "Ильина")]
    [InlineData("Королёв", "Королёва")]
    [InlineData("Достоевский", "Достоевская")]
    [InlineData("Троицкий", "Троицкая")]
    [InlineData("Толстой", "Толстая")]
    [InlineData("Шевченко", "Шевченко")]
    [InlineData("Черных", "Черных")]
    [InlineData("Шмидт", "Шмидт")]
    public void Surnames_agree_with_their_bearer(string man, string woman) => Assert.Equal(woman, RussianNames.Surname(man, true));
}
