{# Text as it is compared, never as it is shown: accents, look-alike letters, zero-width characters, case, punctuation
   and surplus blanks are gone. Accents go before case, as a server with locale C lowers only ASCII. #}
{% macro folded_text(text) -%}
    {%- set accented = 'ÀÁÂÃÄÅàáâãäåÇçÈÉÊËèéêëÌÍÎÏìíîïÑñÒÓÔÕÖØòóôõöøÙÚÛÜùúûüÝýÿŁłŠšŽžАВЕКМНОРСТХаеорсухі' -%}
    {%- set plain = 'AAAAAAaaaaaaCcEEEEeeeeIIIIiiiiNnOOOOOOooooooUUUUuuuuYyyLlSsZzABEKMHOPCTXaeopcyxi' -%}
    {%- set zero_width = '\u200b\u200c\u200d\ufeff' -%}
    {%- set simple = "lower(translate(" ~ text ~ ", '" ~ accented ~ zero_width ~ "', '" ~ plain ~ "'))" -%}
    {%- set worded = cdp_regex_replace(cdp_regex_replace(simple, '[!-/:-@{-~]', ''), '[ ]+', ' ') -%}
nullif(trim(substr({{ worded }}, 1, 100)), '')
{%- endmacro %}
