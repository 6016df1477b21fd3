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
    [InlineData("{{#each people}}x", 1, 1, "{{/each}}")]
    [InlineData("{{#each a}}{{../../b}}{{/each}}", 1, 14, "leads out")]
    [InlineData("{{@index}}", 1, 3, "outside of {{#each}}")]
    [InlineData("{{#each a}}{{@depth}}{{/each}}", 1, 14, "there is no @depth")]
    [InlineData("{{date}} {{date group 1 2}}", 1, 12, "{{date field")]
    [InlineData("{{#loop x}}", 1, 1, "no block")]
    [InlineData("{{shout name}}", 1, 3, "no helper 'shout'")]
    [InlineData("{{default name}}", 1, 3, "{{default field \"instead\"}}")]
    [InlineData("{{default name \"x}}", 1, 16, "quoted text")]
    [InlineData("{{else}}", 1, 1, "outside")]
    [InlineData("{{#if a}}b{{else}}c{{else}}d{{/if}}", 1, 20, "already")]
    [InlineData("{{#if}}b{{/if}}", 1, 1, "missing")]
    [InlineData("{{> footer}}", 1, 1, "no shared block footer")]
    [InlineData("{{a+b}}", 1, 3, "no merge field")]
    [InlineData("{{#if (eq a \"b\"}}{{/if}}", 1, 7, "never closed")]
    [InlineData("Hello {{ {{name}} }}", 1, 7, "never closed")]
    public void A_mistake_is_named_with_line_and_column(string template, int line, int column, string words)
    {
        Assert.Null(Template.Parse(template, TemplateKind.Html, out var error));
        Assert.Equal((line, column), (error!.Line, error.Column));
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }

    const string Rich = """{"topics":["сети","почта","безопасность"],"days":"пн; ср; пт","exam":{"start":"2026-06-12T07:30:00Z","room":"5"},"zone":"Europe/Moscow","score":"4.5","fee":"12500,5","visits":3,"paid":false,"date":"01.09.2026","group":"B"}""";

    [Theory]
    [InlineData("{{#each topics}}{{@number}}. {{this}}{{#unless @last}}, {{/unless}}{{/each}}", "1. сети, 2. почта, 3. безопасность")]
    [InlineData("{{#each days}}{{#if @first}}<{{/if}}{{.}}{{#if @last}}>{{else}}|{{/if}}{{/each}}", "<пн|ср|пт>")]
    [InlineData("{{#each exam}}{{@key}}={{this}};{{/each}}", "start=2026-06-12T07:30:00Z;room=5;")]
    [InlineData("{{#with exam}}{{room}} {{../group}} {{@root.course.id}}{{/with}}", "5 B basics")]
    [InlineData("{{#each topics}}{{#each ../days}}{{@index}}{{../this}} {{/each}}{{/each}}", "0сети 1сети 2сети 0почта 1почта 2почта 0безопасность 1безопасность 2безопасность ")]
    [InlineData("{{#each nothing}}x{{else}}пусто{{/each}}", "пусто")]
    [InlineData("{{exam.room}} {{topics.length}} {{topics.1}} {{count days}}", "5 3 почта 3")]
    [InlineData("{{list topics}}; {{topics}}; {{join days \"/\"}}; {{list group \"C\"}}", "сети, почта и безопасность; сети, почта и безопасность; пн/ср/пт; B и C")]
    [InlineData("{{date exam.start \"d MMMM, dddd\"}}", "12 июня, пятница")]
    [InlineData("{{date exam.start}} {{time exam.start}} {{date exam.start \"MMMM 'в' H:mm\"}}", "12 июня 2026 г., 10:30 10:30 июнь в 10:30")]
    [InlineData("{{date}} {{date date \"short\"}} {{date date \"full\"}}", "01.09.2026 01.09.2026 вторник, 1 сентября 2026 г.")]
    [InlineData("{{relative exam.start}} {{relative \"2026-06-12\"}} {{relative \"2026-06-08\"}} {{relative \"2026-07-10\"}}", "послезавтра послезавтра позавчера через 4 недели")]
    [InlineData("{{number fee}} {{number fee 2}} {{number score}}", "12\u00A0500,5 12\u00A0500,50 4,5")]
    [InlineData("{{#if (gt score 4)}}a{{/if}}{{#if (lte score \"4.5\")}}b{{/if}}{{#if (lt date \"2026-10-01\")}}c{{/if}}{{#if (gte none 0)}}d{{/if}}", "abc")]
    [InlineData("{{#if (in group \"A\" \"B\")}}a{{/if}}{{#if (in \"почта\" topics)}}b{{/if}}{{#if (in \"вт\" days)}}c{{/if}}", "ab")]
    [InlineData("{{#if paid}}a{{else if visits}}b{{/if}}", "b")]
    [InlineData("{{plural visits \"раз\" \"раза\" \"раз\"}} {{plural score \"балл\" \"балла\" \"баллов\"}}", "3 раза 4.5 балла")]
    [InlineData("{{capitalize \"анна\"}} {{replace group \"B\" \"Б\"}} {{urlencode \"а б\"}} {{concat group \"-\" visits}}", "Анна Б %D0%B0%20%D0%B1 B-3")]
    [InlineData("{{#each (split \"a/b\" \"/\")}}[{{this}}]{{/each}} {{lookup exam \"room\"}}", "[a][b] 5")]
    public void Lists_dates_and_numbers_are_the_readers(string template, string expected)
    {
        var parsed = Template.Parse(template, TemplateKind.Text, out var error);
        Assert.Null(error);
        var data = MergeData.Of("anna@example.test", "Анна", Rich, MergeData.Shared(Course, "", "school@example.test"), now: new DateTimeOffset(2026, 6, 9, 22, 0, 0, TimeSpan.Zero));
        Assert.Equal(expected, parsed!.Render(data));
    }

    [Fact]
    public void An_english_reader_reads_english()
    {
        var parsed = Template.Parse("{{date exam.start \"dddd, d MMMM, h:mm tt\"}}; {{list topics}}; {{relative exam.start}}; {{number fee 1}}", TemplateKind.Text, out _);
        var data = MergeData.Of("a@example.test", "Ann", Rich.Replace("\"score\"", "\"Language\":\"English\",\"score\"", StringComparison.Ordinal), MergeData.Shared(Course, "", ""), now: new DateTimeOffset(2026, 6, 1, 0, 0, 0, TimeSpan.Zero));
        Assert.Equal("Friday, 12 June, 10:30 AM; сети, почта and безопасность; in 11 days; 12,500.5", parsed!.Render(data));
    }

    [Fact]
    public void Loops_in_loops_end()
    {
        var fields = $$"""{"n":[{{string.Join(',', Enumerable.Range(0, 300))}}]}""";
        var missing = new List<MissingField>();
        var text = Render("{{#each n}}{{#each ../n}}{{#each ../../n}}x{{/each}}{{/each}}{{/each}}", fields: fields, missing: missing);
        Assert.InRange(text.Length, 1000, 1_000_000);
        Assert.Equal("#", Assert.Single(missing).Name);
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
        string[] pieces = ["{{", "}}", "{{{", "}}}", "#if ", "/if", "else", "a", " ", "\n", "\"", "(", ")", "[", "]", "!", "!--", "--", "~", "\\", "default ", "eq ", "ж", "#each ", "/each", "../", "this", "@index", "date ", "list ", "#with "];
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
